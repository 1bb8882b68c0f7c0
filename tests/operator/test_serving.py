"""The operator's own pages."""

from __future__ import annotations

import socket

import aiohttp
import pytest

from bidlock.errors import ConfigurationError
from bidlock_operator.metrics import Metrics, PolicyFacts
from bidlock_operator.serving import served


async def asked(port: int, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as response:
        return response.status, await response.text()


@pytest.fixture
async def pages():
    wrong = {"live": "", "ready": ""}
    metrics = Metrics()
    async with served("127.0.0.1", 0, live=lambda: wrong["live"], ready=lambda: wrong["ready"], metrics=metrics.text) as port:
        yield port, wrong, metrics


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_a_page_says_what_is_wrong(pages, path):
    port, wrong, _ = pages
    assert await asked(port, path) == (200, "ok\n")

    wrong["live"] = wrong["ready"] = "the operator may not: list pods"
    assert await asked(port, path) == (503, "the operator may not: list pods\n")


async def test_metrics_show_a_policy_as_it_is_now_and_nothing_of_before(pages):
    port, _, metrics = pages
    metrics.show("bids", "arbitrage", PolicyFacts(phase="SQLite", authority="SQLite", bidders={"sqlite": 2}))
    metrics.show("bids", "arbitrage", PolicyFacts(phase="DualSupport", authority="SQLite", transition_seconds=3.0))

    _, text = await asked(port, "/metrics")

    assert 'bidlock_policy_phase{namespace="bids",phase="DualSupport",policy="arbitrage"} 1.0' in text
    assert 'bidlock_policy_transition_seconds{namespace="bids",policy="arbitrage"} 3.0' in text
    assert 'phase="SQLite"' not in text
    assert 'mode="sqlite"' not in text


async def test_a_policy_that_is_gone_leaves_no_metric(pages):
    port, _, metrics = pages
    metrics.show("bids", "arbitrage", PolicyFacts(phase="SQLite"))
    metrics.passes.labels("bids", "arbitrage").observe(0.1)
    metrics.forget("bids", "arbitrage")

    assert "arbitrage" not in (await asked(port, "/metrics"))[1]


async def test_a_port_that_is_taken_is_an_error_that_names_the_setting():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigurationError, match="BIDLOCK_OPERATOR_HTTP_PORT"):
        async with served("127.0.0.1", taken.getsockname()[1], live=str, ready=str, metrics=bytes):
            pass
