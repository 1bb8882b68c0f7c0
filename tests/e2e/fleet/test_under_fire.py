"""A fleet walks to Redis and back while its bidders, its Redis, its agent and its operator are killed in turn."""

import json
import time

from bidlock_hour import markers
from bidlock_hour.fire import burning
from bidlock_hour.market import watched
from bidlock_hour.site import CHART, eventually

from bidlock.postings import posting

PATIENCE = 900
"""Seconds for a step on a slow machine under fire."""

SPEC = {
    "lock": {"ttlSeconds": 20, "marginSeconds": 2, "waitTimeoutSeconds": 5},
    "rollout": {"soakSeconds": 0},
    "replicas": 4,
}


def quick(document):
    """Short leases and no soaking, for the walk to take minutes."""
    if document["kind"] == "BidLockPolicy":
        document["spec"] |= SPEC
        document["spec"]["bidder"]["bidTimeoutSeconds"] = 10
        (container,) = document["spec"]["bidder"]["template"]["spec"]["containers"]
        container["args"] = ["--bid-timeout=10" if word.startswith("--bid-timeout") else word for word in container["args"]]


def test_a_fleet_walks_there_and_back_under_fire_and_places_no_bid_twice(site, faults, capsys):
    began = time.monotonic()
    start(site)
    with watched(site.cluster, site.fleet) as market:
        walk(site, market, "SQLite")
        with burning(site, faults) as fire:
            for phase in ("DualSupport", "RedisPrimary", "RedisOnly", "RedisPrimary", "DualSupport"):
                market.begin(f"to {phase}")
                walk(site, market, phase)
            eventually(lambda: fire.complete, seconds=PATIENCE, what="every kind of process killed")
        market.begin("after the fire")
        walk(site, market, "DualSupport")
        offered = market.stats()["offered"]
        eventually(lambda: market.stats()["bids"] >= offered - burnt(fire), seconds=PATIENCE, what="bids on what was offered")
        told = judged(site, market, offered)

    with capsys.disabled():
        report(told, market, fire, time.monotonic() - began)
    assert told["doubled"] == 0
    assert told["unexplained"] == []


def start(site):
    """Operator, marketplace and fleet, as helm and kubectl install them."""
    site.helm(
        "install", "bidlock", CHART, "--namespace", site.system, "--create-namespace", "--wait", "--timeout", "300s", values=site.values()
    )
    site.example("marketplace.yaml")
    site.kubectl("rollout", "status", "deployment/marketplace", "--timeout=180s")
    site.example("fleet.yaml", quick)


def walk(site, market, phase):
    """Ask for a phase, and wait until the fleet is there and bids."""
    patch = json.dumps({"spec": {"phase": phase}})
    eventually(lambda: patched(site, patch), seconds=60, what="the API server")
    eventually(lambda: settled(site, phase), seconds=PATIENCE, what=f"phase {phase}")
    before = market.seen
    eventually(lambda: market.seen >= before + 3, seconds=PATIENCE, what="three more bids")


def patched(site, patch):
    site.kubectl("patch", "blp", "arbitrage", "--type=merge", "-p", patch)
    return True


def settled(site, phase):
    policy = site.policy()
    status = policy.get("status", {})
    done = next((one for one in status.get("conditions", ()) if one["type"] == "PhaseConverged"), {})
    fresh = done.get("observedGeneration") == policy["metadata"]["generation"]
    return fresh and done.get("status") == "True" and status.get("currentPhase") == phase


def burnt(fire):
    """How many postings killed bidders may have claimed and never bid on, at most: eight at a time each."""
    return 8 * fire.killed["bidder"]


def judged(site, market, offered):
    """What became of every posting: a bid; or a marker whose bidder was killed between the claim and the end of its bid."""
    wanted = {f"~{number:08x}" for number in range(1, offered + 1)}
    bids = [bid for bid in market.bids() if bid["id"] in wanted]  # meanwhile there are more postings, and bids on them
    missing = sorted(wanted - {bid["id"] for bid in bids})
    states = markers.states(site, "bids.db")
    left = {one: states.get(posting("upwork", one).key, "no marker") for one in missing}
    return {
        "offered": offered,
        "bids": len(bids),
        "doubled": market.stats()["duplicates"],
        "claimed": [one for one, state in left.items() if state in ("claimed", "unknown")],
        "unexplained": [f"{one}: {state}" for one, state in left.items() if state not in ("claimed", "unknown")],
    }


def report(told, market, fire, seconds):
    """The verdict, for people."""
    pauses = {name: length for name, length in market.pauses.items() if name != "start"}  # before the first bid there is no pause
    during, pause = max(pauses.items(), key=lambda item: item[1])
    kills = ", ".join(f"{kind} {count}" for kind, count in sorted(fire.killed.items()))
    print(  # noqa: T201 — see above
        f"\ne2e under fire: {told['offered']} postings, {told['bids']} bids, duplicate bids: {told['doubled']}, "
        f"claimed by a bidder that was killed: {len(told['claimed'])}, without a reason: {len(told['unexplained'])}, "
        f"longest pause {pause:.1f} s ({during}), kill -9: {kills}, {seconds:.0f} s\n"
        f"     {', '.join(f'{name} {length:.1f} s' for name, length in pauses.items())}"
    )
