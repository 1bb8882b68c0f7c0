"""A whole run: a server, the rows one after the other, and what came of them."""

from __future__ import annotations

import os
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import redis

from bidlock_bench import rounds
from bidlock_bench.environment import environment, quieten
from bidlock_bench.results import RowResult
from bidlock_bench.rounds import Failure
from bidlock_bench.stage import Stage, Workload
from bidlock_bench.worker import crew
from bidlock_redis.testing.servers import start


@dataclass(frozen=True, slots=True)
class Plan:
    """How thorough a run is.

    Attributes:
        rounds: Turns of every contender.
        seconds: How long each row measures.
        keys: How many locks and markers the memory rows write.
    """

    rounds: int
    seconds: float
    keys: int


FULL = Plan(rounds=7, seconds=15, keys=20_000)
QUICK = Plan(rounds=3, seconds=2.5, keys=5_000)


@dataclass(slots=True)
class Outcome:
    """What a run brought."""

    environment: dict[str, Any]
    results: list[RowResult] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


@contextmanager
def stage(plan: Plan, url: str, flavour: str) -> Iterator[Stage]:
    """The server at `url`, or one of ours of this flavour when it is empty; files in a folder that goes away.

    On a server that is not ours every key of the run has the run's own prefix, and is deleted afterwards.
    """
    prefix = f"bench-{secrets.token_hex(4)}"
    # Not /tmp, which may be memory: what is called durable has to reach a disk.
    with tempfile.TemporaryDirectory(prefix=".bidlock-bench-", dir=Path.cwd()) as name:
        directory = Path(name)
        if url:
            try:
                yield Stage(url, directory, prefix, plan.rounds, plan.seconds, plan.keys)
            finally:
                _delete_keys(url, prefix)
        else:
            with start(flavour, directory=directory / "server", durable=False) as server:
                yield Stage(server.url, directory, prefix, plan.rounds, plan.seconds, plan.keys)


async def run(workloads: Sequence[Workload], on: Stage, announce: Callable[[str, str], None]) -> Outcome:
    """Run these workloads one after the other.

    Args:
        workloads: What to measure.
        on: Where.
        announce: Told before every turn: the row's title, and whose turn in which round.
    """
    quieten()
    began = time.monotonic()
    outcome = Outcome(environment(on.url, on.directory))
    async with crew(max((workload.workers for workload in workloads), default=0), on.url, on.prefix) as workers:
        for workload in workloads:
            results, failures = await rounds.run(workload, replace(on, workers=workers), _turns(workload, on, announce))
            outcome.results += results
            outcome.failures += failures
    outcome.environment |= {
        "load after": round(os.getloadavg()[0], 2),
        "rounds": on.rounds,
        "seconds per row": on.seconds,
        "took": f"{time.monotonic() - began:.0f} s",
    }
    return outcome


def _turns(workload: Workload, on: Stage, announce: Callable[[str, str], None]) -> rounds.OnTurn:
    title = workload.rows[0].title
    return lambda name, number: announce(title, f"{name}, round {number} of {on.rounds}" if number else f"setting up {name}")


def _delete_keys(url: str, prefix: str) -> None:
    with redis.Redis.from_url(url) as client:
        for key in client.scan_iter(match=f"*{prefix}*", count=1000):
            client.unlink(key)
