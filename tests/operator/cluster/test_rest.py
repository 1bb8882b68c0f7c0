"""A fleet at rest: nothing is written, drift is mended, a restarted Redis is open again at once."""

from __future__ import annotations

import asyncio
import base64
import time

import pytest
import redis.asyncio as client
from simulation.world import Fleet, condition, policy

from bidlock_operator.kube import kinds
from bidlock_operator.manifests.acl import Passwords
from bidlock_operator.reconciling.ground import Paces

REDIS, AGENT = "arbitrage-redis", "arbitrage-agent"


@pytest.fixture
async def fleet(operated, transport, namespace):
    """A fleet at rest in RedisPrimary: every part is there."""
    made = Fleet(transport, policy(namespace, phase="RedisPrimary"))
    await made.create()
    await made.walked("RedisPrimary", 90)
    return made


async def settled(fleet: Fleet) -> dict:
    """The policy, once it has not been written for a while."""
    while True:
        body = await fleet.read()
        await asyncio.sleep(2)
        if (await fleet.read())["metadata"]["resourceVersion"] == body["metadata"]["resourceVersion"]:
            return body


async def test_nothing_is_written_at_rest(fleet, operated):
    before = await settled(fleet)
    children = await versions(fleet)
    requests = operated.operator.metrics.requests
    counted = {
        sample.labels["method"]: sample.value for metric in requests.collect() for sample in metric.samples if sample.name.endswith("total")
    }
    for _ in range(5):  # as often as the watch could wake it
        operated.operator.news.wake((fleet.namespace, fleet.name))
        await asyncio.sleep(0.5)

    assert (await fleet.read())["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    assert await versions(fleet) == children
    now = {
        sample.labels["method"]: sample.value for metric in requests.collect() for sample in metric.samples if sample.name.endswith("total")
    }
    written = {method: now[method] - counted[method] for method in now if method not in ("GET", "WATCH")}
    assert written == dict.fromkeys(written, 0)


async def versions(fleet: Fleet) -> dict[str, str]:
    found = {}
    for kind in kinds.CHILDREN:
        for body in await fleet.kube.list(kind, fleet.namespace, "bidlock.io/policy"):
            found[f"{kind.kind}/{body['metadata']['name']}"] = body["metadata"]["resourceVersion"]
    return found


async def test_a_deleted_child_is_back_within_two_seconds(fleet):
    await settled(fleet)
    children = [
        (kinds.STATEFUL_SET, REDIS),
        (kinds.SERVICE, REDIS),
        (kinds.CONFIG_MAP, REDIS),
        (kinds.DEPLOYMENT, AGENT),
        (kinds.NETWORK_POLICY, REDIS),
    ]
    for kind, name in children:
        uid = (await fleet.kube.get(kind, fleet.namespace, name))["metadata"]["uid"]
        await fleet.kube.delete(kind, fleet.namespace, name)
        began = time.monotonic()
        while (found := await fleet.kube.get(kind, fleet.namespace, name)) is None or found["metadata"]["uid"] == uid:
            assert time.monotonic() - began < 2, f"{kind.kind}/{name}"
            await asyncio.sleep(0.02)


async def test_a_changed_child_is_mended_within_two_seconds(fleet):
    await settled(fleet)
    await fleet.send("PATCH", kinds.DEPLOYMENT, "arbitrage-bidder", {"spec": {"replicas": 7}})
    began = time.monotonic()
    while (await fleet.kube.get(kinds.DEPLOYMENT, fleet.namespace, "arbitrage-bidder"))["spec"]["replicas"] != 2:
        assert time.monotonic() - began < 2
        await asyncio.sleep(0.02)


async def test_a_redis_that_was_killed_is_open_again_long_before_the_next_look(fleet, node, record_property):
    """The end of the held connection wakes the operator, and three writes open the server."""
    await settled(fleet)
    secret = await fleet.kube.get(kinds.SECRET, fleet.namespace, "arbitrage-redis-auth")
    password = Passwords.read({key: base64.b64decode(value).decode() for key, value in secret["data"].items()}).operator
    (running,) = node.of(fleet.namespace, "redis")
    node.crash(fleet.namespace, "redis")

    async with client.Redis(host=running.address, username="operator", password=password, retry=None) as server:
        took = await opened(server)

    record_property("told", f"a Redis that was killed: open {took:.2f} s after its first answer")
    assert took < Paces().rest / 2
    body = await fleet.until(lambda body: condition(body, "RedisReady") == "True")
    assert body["status"]["authority"] == "Redis"


async def opened(server: client.Redis) -> float:
    """Seconds from a server's first answer until it is open."""
    answered = await until_it_answers(server)
    while (await server.hget("{bidlock:0}:meta", "run_id")).decode() != (await server.info("server"))["run_id"]:
        assert time.monotonic() - answered < 30
        await asyncio.sleep(0.01)
    return time.monotonic() - answered


async def until_it_answers(server: client.Redis) -> float:
    while True:
        try:
            await server.ping()
        except (client.ConnectionError, client.BusyLoadingError):
            await asyncio.sleep(0.005)
        else:
            return time.monotonic()


async def test_a_new_image_is_rolled_out_under_a_seal(fleet, node):
    before = await settled(fleet)
    (old,) = await fleet.kube.list(kinds.POD, fleet.namespace, "app.kubernetes.io/component=redis")
    await fleet.change(redis={"image": "redis:new"})
    await fleet.until(lambda body: body["status"]["buckets"][0]["incarnation"] > before["status"]["buckets"][0]["incarnation"])
    after = await fleet.until(lambda body: condition(body, "RedisReady") == "True" and not body["status"]["buckets"][0]["seal"])

    (new,) = await fleet.kube.list(kinds.POD, fleet.namespace, "app.kubernetes.io/component=redis")
    assert new["metadata"]["uid"] != old["metadata"]["uid"]
    assert new["spec"]["containers"][0]["image"] == "redis:new"
    assert after["status"]["authority"] == "Redis"
    assert "Sealing" in {event["reason"] for event in await fleet.kube.list(kinds.EVENT, fleet.namespace)}


async def test_the_number_of_bidders_follows_the_scale_subresource(fleet, defined):
    defined.kubectl("scale", f"blp/{fleet.name}", "--replicas=4", "-n", fleet.namespace)

    await fleet.until(lambda body: body["status"].get("readyReplicas") == 4)
