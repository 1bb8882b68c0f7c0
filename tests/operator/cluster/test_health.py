"""What the operator's pages say while the API server is out of reach, and when nobody looks after a policy."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from simulation.faults import Fault, Treatment
from simulation.proxy import nothing
from simulation.world import Fleet, leading, operator, policy

from bidlock_operator import running


async def says(port: int, page: str, status: int, text: str) -> None:
    """Wait for what a page says."""
    async with asyncio.timeout(120), aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"http://127.0.0.1:{port}{page}") as answer:
                if answer.status == status and text in await answer.text():
                    return
            await asyncio.sleep(0.1)


@pytest.fixture
async def proxied(between, namespace):
    """An operator that takes a watch for dead after a second."""
    async with operator(namespace, API_TIMEOUT="1", WATCH_SILENCE="1", RESYNC="1") as memo:
        await leading(memo)
        yield memo.operator


async def test_an_operator_that_hears_nothing_is_not_ready_until_it_hears_again(proxied, between):
    await says(proxied.port, "/readyz", 200, "ok")

    between.open.clear()
    await says(proxied.port, "/readyz", 503, "nothing was heard of the API server by: watch of")
    await says(proxied.port, "/livez", 200, "ok")

    between.open.set()
    await says(proxied.port, "/readyz", 200, "ok")


async def test_an_operator_that_does_not_look_after_a_policy_asks_to_be_restarted(proxied, between, transport, namespace, monkeypatch):
    """kopf begins the loops; here it hears nothing, while our own watches do."""
    monkeypatch.setattr(running, "STUCK", 3.0)
    deaf = Treatment(Fault.SWALLOWED)
    between.strike(lambda request: deaf if request.headers["User-Agent"].startswith("kopf") else Treatment())

    await Fleet(transport, policy(namespace, replicas=0)).create()
    await says(proxied.port, "/livez", 503, f"stands still: policy {namespace}/arbitrage")

    between.strike(nothing)
    await says(proxied.port, "/livez", 200, "ok")
