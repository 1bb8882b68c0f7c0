"""Turn an async story into a test that runs anywhere, whatever asyncio plugin and mode a project uses."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from bidlock.testing.lab import Lab

Story = Callable[..., Coroutine[Any, Any, None]]
Test = Callable[..., None]

TIME_LIMIT = 60.0
"""Seconds after which a story hangs."""


def scenario(*needs: str) -> Callable[[Story], Test]:
    """Make a test of a story whose first parameter is the `Lab`; further parameters are filled by pytest.

    Args:
        needs: Powers without which the story is left out: see `missing`.
    """

    def decorate(story: Story) -> Test:
        def test(*, bidlock_lab: Lab, **given: Any) -> None:
            for need in needs:
                if reason := missing(bidlock_lab, need):
                    pytest.skip(reason)
            asyncio.run(_told(story, bidlock_lab, given))

        parameters = list(inspect.signature(story).parameters.values())[1:]
        lab = inspect.Parameter("bidlock_lab", inspect.Parameter.KEYWORD_ONLY)
        by_keyword = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
        test.__signature__ = inspect.Signature([lab, *by_keyword])  # type: ignore[attr-defined]  # functions may carry one
        test.__name__, test.__qualname__, test.__doc__, test.__module__ = (
            story.__name__,
            story.__qualname__,
            story.__doc__,
            story.__module__,
        )
        return test

    return decorate


def missing(lab: Lab, need: str) -> str:
    """Why a story that needs this cannot be told; empty when it can.

    Args:
        lab: The test's lab.
        need: `processes` (exclusion beyond one process), `notify`, `server clock`, or an optional power of the harness.
    """
    capabilities = lab.spec.capabilities
    if need == "processes":
        return "the backend's scope is one process" if capabilities.scope == "process" else ""
    if need == "notify":
        return "the backend's waiters poll" if capabilities.wait == "poll" else ""
    if need == "server clock":
        return "the clients' clocks decide about expiry" if capabilities.time_authority == "client" else ""
    return "" if getattr(lab.harness, need, None) is not None else f"the harness has no {need}"


async def _told(story: Story, lab: Lab, given: dict[str, Any]) -> None:
    async with lab, asyncio.timeout(TIME_LIMIT):
        await story(lab, **given)
