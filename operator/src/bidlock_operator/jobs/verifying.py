"""`verify`: what `helm test` asks: the definition is served and accepts a policy, and an operator is ready."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import aiohttp

from bidlock_operator import resources
from bidlock_operator.jobs.patience import NotYet, until_done
from bidlock_operator.kube.client import Kube


async def verify(kube: Kube, namespace: str, readyz: str, *, within: float, say: Callable[[str], None]) -> None:
    """Try both, and say what was found. Nothing is changed in the cluster.

    Args:
        kube: A client.
        namespace: One in which the operator works.
        readyz: URL of an operator's readiness.
        within: Longest time for each of the two, seconds.
        say: Is told what is in order.

    Raises:
        NotYet: no operator is ready.
        KubeError: the API server refuses the policy, and says why.
    """
    await until_done(functools.partial(kube.apply, resources.POLICY, sample(namespace), dry_run=True), within=within)
    say(f"the API server would accept a policy in namespace {namespace}")
    await until_done(functools.partial(_ready, readyz), within=within)
    say("an operator is ready")


def sample(namespace: str) -> dict[str, Any]:
    """The smallest policy there is."""
    return {
        "apiVersion": resources.POLICY.api_version,
        "kind": resources.POLICY.kind,
        "metadata": {"name": "bidlock-verify", "namespace": namespace},
        "spec": {
            "phase": "SQLite",
            "sqlite": {"claimName": "bids"},
            "bidder": {"template": {"spec": {"containers": [{"name": "bidder", "image": "bidder:1"}]}}},
        },
    }


async def _ready(url: str) -> None:
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session, session.get(url) as answer:
            text = (await answer.text()).strip()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise NotYet(f"{url} does not answer ({type(error).__name__}); look at the operator's pods and their log") from None
    if answer.status != 200:
        raise NotYet(f"no operator is ready: {text}; look at the operator's log")
