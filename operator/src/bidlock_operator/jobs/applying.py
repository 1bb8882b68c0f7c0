"""`apply`: the policies of the chart's values, after the release with their definition is there."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from bidlock_operator import resources
from bidlock_operator.jobs.patience import until_done
from bidlock_operator.kube.client import Kube

MANAGER = "bidlock-chart"
"""Field manager of what the chart's values say of a policy; another one than the operator's, which owns the status."""


async def apply(kube: Kube, policies: Iterable[dict[str, Any]], *, within: float, say: Callable[[str], None]) -> None:
    """Create the policies, or change those that are there.

    Raises:
        KubeError: the API server refuses one, and says why; those before it were applied.
    """
    for policy in policies:
        await until_done(functools.partial(kube.apply, resources.POLICY, policy), within=within)
        say(f"applied policy {policy['metadata']['namespace']}/{policy['metadata']['name']}")


def read(file: Path) -> list[dict[str, Any]]:
    """The policies of a file, one a line."""
    return [json.loads(line) for line in file.read_text().splitlines() if line]
