"""A Redis that comes back without what it knew, on a real API server with real servers and real volumes."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

import pytest
from simulation import bidders, names
from simulation.kubelet import Kubelet
from simulation.world import Fleet, condition, policy

from bidlock import Placed

pytestmark = [pytest.mark.servers, pytest.mark.slow]


@pytest.fixture
async def fleet(operated, node, transport, namespace):
    """A fleet that rests on Redis, and has bid on a posting."""
    made = Fleet(transport, policy(namespace, phase="RedisPrimary", lock={"clockSkewSeconds": 1}))
    with names.resolved(node):
        await made.create()
        await made.walked("RedisPrimary", 90)
        assert isinstance(await bidders.bid(made, node, "before", posted_at=time.time()), Placed)
        yield made


def volume(fleet: Fleet, node: Kubelet) -> Path:
    """Where Redis's data is."""
    return node.claim(fleet.namespace, "arbitrage-redis-data")


def lose(fleet: Fleet, node: Kubelet, instead: Path | None = None) -> None:
    """Kill Redis, exchange its data, and start it again."""
    (running,) = node.of(fleet.namespace, "redis")
    assert running.process
    assert running.launch
    running.process.kill()
    running.process.wait()
    shutil.rmtree(volume(fleet, node))
    if instead:
        shutil.copytree(instead, volume(fleet, node))
    else:
        volume(fleet, node).mkdir()
    running.process = running.launch()


async def halted(fleet: Fleet) -> str:
    """Wait until nobody bids because markers may be lost; the message."""
    body = await fleet.until(lambda body: condition(body, "Stalled", "reason") == "AuthorityLost")
    assert condition(body, "Ready") == "False"
    return condition(body, "Degraded", "message")


def nonce(message: str) -> str:
    """The nonce that a message names."""
    found = re.search(r"accept the loss by naming (\w+)", message)
    assert found
    return found[1]


async def reason(fleet: Fleet, node: Kubelet, posting: str, posted_at: float | None) -> str:
    """Why a posting is not bid on; `placed` if it is."""
    outcome = await bidders.bid(fleet, node, posting, posted_at=posted_at)
    return "placed" if isinstance(outcome, Placed) else str(outcome.reason)


async def test_after_a_loss_nobody_bids_until_it_is_accepted_and_then_on_newer_postings_only(fleet, node):
    lose(fleet, node)
    lost = await halted(fleet)
    assert "spec.acceptAuthorityLoss" in lost
    assert await reason(fleet, node, "before", time.time()) in ("closed", "mode")

    await fleet.change(acceptAuthorityLoss=["another"])
    assert nonce(await halted(fleet)) == nonce(lost)
    await fleet.change(acceptAuthorityLoss=["another", nonce(lost)])
    accepted = await fleet.walked("RedisPrimary")

    watermark = accepted["status"]["watermark"] / 1000
    assert watermark <= time.time() + 1
    assert await reason(fleet, node, "before", watermark - 0.001) == "watermark"
    assert await reason(fleet, node, "stampless", None) == "watermark"
    assert await reason(fleet, node, "after", watermark + 1) == "placed"


async def test_an_accepted_loss_is_that_one_and_not_the_next(fleet, node):
    lose(fleet, node)
    first = nonce(await halted(fleet))
    await fleet.change(acceptAuthorityLoss=[first])
    await fleet.walked("RedisPrimary")

    lose(fleet, node)
    assert nonce(await halted(fleet)) != first


async def test_a_watermark_is_carried_back_to_the_file(fleet, node):
    lose(fleet, node)
    await fleet.change(acceptAuthorityLoss=[nonce(await halted(fleet))])
    watermark = (await fleet.walked("RedisPrimary"))["status"]["watermark"] / 1000

    await fleet.change(phase="SQLite")
    await fleet.walked("SQLite", 120)
    assert await reason(fleet, node, "before", watermark) == "watermark"
    assert await reason(fleet, node, "after", watermark + 1) == "placed"


async def test_an_older_copy_is_halted_and_the_newest_goes_on_by_itself(fleet, node, tmp_path):
    older, newest = tmp_path / "older", tmp_path / "newest"
    shutil.copytree(volume(fleet, node), older)
    for number in range(3):
        assert await reason(fleet, node, f"p-{number}", time.time()) == "placed"
    await fleet.change(phase="RedisOnly")
    await fleet.walked("RedisOnly")
    shutil.copytree(volume(fleet, node), newest)

    lose(fleet, node, older)
    assert "bucket 0" in await halted(fleet)
    lose(fleet, node, newest)
    await fleet.walked("RedisOnly")
    assert await reason(fleet, node, "p-2", time.time()) == "already_bid"
