"""A fleet adopts an original bot: takes over its file, works beside it, sees it end, and walks to Redis. No posting gets a second bid."""

from __future__ import annotations

import json
import time

from bidlock_hour import adoption, markers
from bidlock_hour.adoption import Share, told
from bidlock_hour.market import watched
from bidlock_hour.site import CHART, eventually

PATIENCE = 600
"""Seconds for a step on a slow machine."""

LOCK = {"ttlSeconds": 20, "marginSeconds": 2, "waitTimeoutSeconds": 5, "clockSkewSeconds": 2}


def adopting(document):
    """The example's policy at its first phase, with short leases and the images of this checkout."""
    spec = document["spec"]
    spec |= {"phase": "SQLite", "lock": LOCK, "rollout": {"soakSeconds": 0}}
    spec["bidder"]["bidTimeoutSeconds"] = 10
    (container,) = spec["bidder"]["template"]["spec"]["containers"]
    container["args"] += ["--bid-timeout=10"]


def test_a_fleet_adopts_an_original_bot_and_walks_to_redis_and_no_posting_gets_a_second_bid(site, capsys):
    began = time.monotonic()
    start(site)
    with watched(site.cluster, site.fleet) as market:
        eventually(lambda: market.seen >= 20, seconds=PATIENCE, what="20 bids of the original bot alone")
        alone = market.stats()["bids"]
        market.begin("adoption")
        site.example("policies/original-bots.yaml", adopting)
        for phase in ("SQLite", "DualSupport"):
            walk(site, phase)
            both_bid(market, phase)

        patch(site, phase="RedisPrimary")
        eventually(lambda: told(site, "PhaseConverged").get("reason") == "LegacyPodsRunning", seconds=PATIENCE, what="LegacyPodsRunning")
        both_bid(market, "strict")
        adoption.end(site)
        patch(site, sqlite={"legacyPods": False})
        walk(site, "RedisPrimary")
        states = markers.states(site, adoption.FILE)
        walk(site, "RedisOnly")
        verdict = judged(site, market, states)

    with capsys.disabled():
        report(verdict, alone, market, time.monotonic() - began)
    assert verdict["doubled"] == 0
    assert verdict["unexplained"] == []
    assert verdict["too old"] == []


def start(site):
    """Operator, marketplace, and the original bot that has worked there for a while."""
    site.helm(
        "install", "bidlock", CHART, "--namespace", site.system, "--create-namespace", "--wait", "--timeout", "300s", values=site.values()
    )
    site.example("marketplace.yaml")
    site.kubectl("rollout", "status", "deployment/marketplace", "--timeout=180s")
    adoption.begin(site)


def patch(site, **spec):
    site.kubectl("patch", "blp", "arbitrage", "--type=merge", "-p", json.dumps({"spec": spec}))


def walk(site, phase):
    """Ask for a phase, and wait until the fleet is there."""
    patch(site, phase=phase)
    eventually(lambda: settled(site, phase), seconds=PATIENCE, what=f"phase {phase}")


def settled(site, phase):
    policy = site.policy()
    done = told(site, "PhaseConverged")
    fresh = done.get("observedGeneration") == policy["metadata"]["generation"]
    return fresh and done.get("status") == "True" and policy["status"].get("currentPhase") == phase


def both_bid(market, when):
    """The original bot and the new ones work side by side."""
    before = Share.of(market)
    eventually(lambda: Share.of(market).grew(before), seconds=PATIENCE, what=f"bids of both in {when}")


def judged(site, market, states):
    """What became of every posting that was offered until now: a bid; or the reason why it has none."""
    watermark, offers = site.policy()["status"]["watermark"], adoption.offers(site)
    wanted = {one for one, posted in offers.items() if posted > watermark and one not in held_by_killed(states, offers)}
    eventually(lambda: wanted <= {bid["id"] for bid in market.bids()}, seconds=PATIENCE, what="a bid on every new posting")
    bids = [bid for bid in market.bids() if bid["id"] in offers]
    missing = {one: posted for one, posted in offers.items() if one not in {bid["id"] for bid in bids}}
    return {
        "offered": len(offers),
        "original": sum(bid["bidder"] == "original" for bid in bids),
        "new": sum(bid["bidder"] != "original" for bid in bids),
        "doubled": market.stats()["duplicates"],
        "left": sum(posted <= watermark for posted in missing.values()),
        "unexplained": adoption.unexplained(missing, watermark, states),
        "too old": [bid["id"] for bid in bids if bid["bidder"] != "original" and offers[bid["id"]] <= watermark],
    }


def held_by_killed(states, offers):
    """Postings that an original bot locked: it bid on them, or was killed before it could."""
    return {one for one in offers if states.get(f"upwork:{one}") == "presumed"}


def report(verdict, alone, market, seconds):
    """The verdict, for people."""
    during, pause = max(market.pauses.items(), key=lambda item: item[1])
    print(  # noqa: T201 — see above
        f"\ne2e adoption: {verdict['offered']} postings, bids: {verdict['original']} by the original bot ({alone} before the adoption), "
        f"{verdict['new']} by the fleet; duplicate bids: {verdict['doubled']}, left to the original bot and not taken: {verdict['left']}, "
        f"without a reason: {len(verdict['unexplained'])}, longest pause {pause:.1f} s ({during}), {seconds:.0f} s"
    )
