"""`conformance.json`: what the kit found out about one backend. Published by an author beside a release.

{
"format": 1,                      raised when a field changes its meaning; fields may be added
"verdict": "passed",              passed | failed | partial (not every test of the kit was run)
"backend": "redis",               name in its BackendSpec
"distribution": "bidlock-redis",  where it comes from
"version": "0.1.0",
"port": 1,                        major version of the port it was written for
"capabilities": {"scope": "cluster", "time_authority": "server", …},
"variants": {
"redis-7.0": {
"verdict": "passed",
"families": {
"leases": {
"passed": 30,             how many tests
"failed": [],             names of tests
"left_out": {}            name of a test -> why it cannot be run here
}, …
}
}
},
"seed": 1234567,                  --bidlock-seed=1234567 repeats the random choices
"versions": {"bidlock": …, "hypothesis": …, "pytest": …, "python": …, "system": …}
}
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from bidlock.hookspecs import BackendSpec
from bidlock.plugins import PluginReport

FORMAT = 1
"""Version of the file's layout."""


class Outcome(NamedTuple):
    """What became of one test.

    Attributes:
        family: Module of the suite.
        variant: Of the harness.
        test: Name, with its parameters.
        outcome: `passed`, `failed` or `skipped`.
        reason: Why it was left out.
    """

    family: str
    variant: str
    test: str
    outcome: str
    reason: str = ""


def write(
    path: Path, spec: BackendSpec, origin: PluginReport, variants: Iterable[str], outcomes: list[Outcome], *, seed: int, complete: bool
) -> None:
    """Write the file.

    Args:
        path: Where to.
        spec: The backend.
        origin: The plugin it came with.
        variants: What was run.
        outcomes: What became of each test.
        seed: Of the run.
        complete: Whether every test of the kit was run.
    """
    found = {variant: _variant([one for one in outcomes if one.variant == variant], complete) for variant in variants}
    document = {
        "format": FORMAT,
        "verdict": _worst(each["verdict"] for each in found.values()),
        "backend": spec.name,
        "distribution": origin.distribution,
        "version": origin.version,
        "port": spec.port,
        "capabilities": asdict(spec.capabilities),
        "variants": found,
        "seed": seed,
        "versions": {name: version(name) for name in ("bidlock", "hypothesis", "pytest")}
        | {"python": platform.python_version(), "system": f"{platform.system()} {platform.release()} {platform.machine()}"},
    }
    path.write_text(json.dumps(document, indent=2, sort_keys=False) + "\n")


def _variant(outcomes: list[Outcome], complete: bool) -> dict[str, Any]:
    families = {
        family: _family([one for one in outcomes if one.family == family]) for family in dict.fromkeys(one.family for one in outcomes)
    }
    failed = any(found["failed"] for found in families.values())
    passed = any(found["passed"] for found in families.values())
    verdict = "failed" if failed else "passed" if passed and complete else "partial"
    return {"verdict": verdict, "families": families}


def _family(outcomes: list[Outcome]) -> dict[str, Any]:
    failed = {one.test for one in outcomes if one.outcome == "failed"}
    return {
        "passed": len({one.test for one in outcomes if one.outcome == "passed"} - failed),
        "failed": sorted(failed),
        "left_out": {one.test: one.reason for one in outcomes if one.outcome == "skipped"},
    }


def _worst(verdicts: Iterable[str]) -> str:
    ranked = sorted(verdicts, key=("failed", "partial", "passed").index)
    return ranked[0] if ranked else "partial"
