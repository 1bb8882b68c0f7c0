"""The first hour of a platform engineer: from an empty cluster to a fleet on Redis, and back, while it bids."""

import contextlib
import time

import pytest
from bidlock_hour.logs import followed
from bidlock_hour.market import watched
from bidlock_hour.site import CHART, eventually

PATIENCE = 900
"""Seconds for a step on a slow machine."""

LAST_BID = 180
"""Seconds until a posting whose bidder ended has its bid: a lease, and what a busy machine adds."""

LOCK = {"ttlSeconds": 30, "waitTimeoutSeconds": 5, "clockSkewSeconds": 2}


def quick(document):
    """Short leases and no soaking, for the walk to take minutes."""
    if document["kind"] == "BidLockPolicy":
        document["spec"]["lock"] = LOCK
        document["spec"]["rollout"] = {"soakSeconds": 0}
        document["spec"]["bidder"]["bidTimeoutSeconds"] = 10
        (container,) = document["spec"]["bidder"]["template"]["spec"]["containers"]
        container["args"] = ["--bid-timeout=10" if word.startswith("--bid-timeout") else word for word in container["args"]]


class Walk:
    """The steps, each watched for its longest pause."""

    def __init__(self, site, market, logs):
        self.site, self.market, self.logs = site, market, logs

    def to(self, phase):
        self.market.begin(f"to {phase}")
        self.site.kubectl("patch", "blp", "arbitrage", "--type=merge", "-p", f'{{"spec":{{"phase":"{phase}"}}}}')
        self.converged(phase)

    def converged(self, phase):
        eventually(lambda: self.settled(phase), seconds=PATIENCE, what=f"phase {phase}")
        self.bids_flow()

    def settled(self, phase):
        policy = self.site.policy()
        status = policy.get("status", {})
        conditions = {one["type"]: one for one in status.get("conditions", ())}
        done = conditions.get("PhaseConverged", {})
        current = done.get("status") == "True" and done.get("observedGeneration") == policy["metadata"]["generation"]
        return current and status.get("currentPhase") == phase

    def bids_flow(self):
        before = self.market.stats()["bids"]
        eventually(lambda: self.market.stats()["bids"] >= before + 5, seconds=PATIENCE, what="five more bids")

    def scale(self, replicas):
        self.market.begin(f"scale to {replicas}")
        self.site.kubectl("scale", "blp/arbitrage", f"--replicas={replicas}")
        eventually(lambda: self.site.policy()["status"].get("readyReplicas") == replicas, seconds=PATIENCE, what=f"{replicas} bidders")


@pytest.fixture
def walk(site, tmp_path):
    """The operator by helm, the marketplace, and the fleet in phase SQLite, bidding."""
    site.helm(
        "install", "bidlock", CHART, "--namespace", site.system, "--create-namespace", "--wait", "--timeout", "300s", values=site.values()
    )
    site.helm("test", "bidlock", "--namespace", site.system, "--timeout", "120s")
    site.cluster.kubectl("cordon", spare_node(site.cluster))
    site.example("marketplace.yaml")
    site.kubectl("rollout", "status", "deployment/marketplace", "--timeout=180s")
    site.example("fleet.yaml", quick)
    with followed(site, tmp_path / "bidders") as logs, watched(site.cluster, site.fleet) as market:
        walk = Walk(site, market, logs)
        walk.converged("SQLite")
        yield walk


def test_a_fleet_walks_to_redis_and_back_and_places_no_bid_twice(site, walk, any_faults, capsys):
    began = time.monotonic()
    market = walk.market
    walk.to("DualSupport")
    site.cluster.kubectl("uncordon", spare_node(site.cluster))
    walk.to("RedisPrimary")
    walk.to("RedisOnly")
    walk.scale(8)

    market.begin("upgrade while it walks back")
    site.kubectl("patch", "blp", "arbitrage", "--type=merge", "-p", '{"spec":{"phase":"DualSupport"}}')
    site.helm(
        "upgrade",
        "bidlock",
        CHART,
        "--namespace",
        site.system,
        "--wait",
        "--timeout",
        "300s",
        values=site.values() | {"podLabels": {"revision": "2"}},
    )
    walk.converged("DualSupport")

    market.begin("drain of a node")
    any_faults.drain(spare_node(site.cluster))
    walk.to("RedisPrimary")

    market.begin("uninstallation")
    site.helm("uninstall", "bidlock", "--namespace", site.system, "--wait", "--timeout", "180s")
    walk.bids_flow()

    verdict(walk, capsys, seconds=time.monotonic() - began)


def spare_node(cluster):
    """One of two nodes or more; the volumes of the test's class are bound to a node, and this one shall have none."""
    return cluster.kubectl("get", "nodes", "-o", "jsonpath={.items[*].metadata.name}").split()[-1]


def verdict(walk, capsys, *, seconds):
    """Every posting offered so far gets its bid; then the figures are told, and judged."""
    market = walk.market
    offered = market.stats()["offered"]
    wanted = {f"~{number:08x}" for number in range(1, offered + 1)}
    # Counting does not do: meanwhile there are more postings, and bids on them, while an older one may wait for a lease to run out.
    with contextlib.suppress(AssertionError):  # told below, with the figures
        eventually(lambda: wanted <= {bid["id"] for bid in market.bids()}, seconds=LAST_BID, what=f"bids on {offered} postings")
    bids = [bid for bid in market.bids() if bid["id"] in wanted]
    missing, doubled = wanted - {bid["id"] for bid in bids}, market.stats()["duplicates"]
    pauses = {name: length for name, length in market.pauses.items() if name != "start"}  # before the first bid there is no pause
    during, pause = max(pauses.items(), key=lambda item: item[1])
    with capsys.disabled():
        print(  # noqa: T201 — the verdict is for people
            f"\ne2e: {offered} postings, {len(bids)} bids, duplicate bids: {doubled}, postings without a bid: {len(missing)}, "
            f"longest pause {pause:.1f} s ({during}), {seconds:.0f} s"
        )
        print("     " + ", ".join(f"{name} {length:.1f} s" for name, length in pauses.items()))  # noqa: T201 — likewise
    assert (doubled, missing) == (0, set()), walk.logs.lines(missing)
