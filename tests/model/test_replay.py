"""The model and the real stores say the same: runs of the model, replayed step by step on SQLite and Redis or Valkey."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from migration_replay.replaying import Disagreement, replay
from migration_replay.runs import REPLAYED
from migration_replay.traces import trace

from bidlock_redis import scripts
from bidlock_redis.testing.servers import start
from bidlock_sqlite import transaction
from bidlock_sqlite.statements import CONTROL, SQL

pytestmark = [pytest.mark.slow, pytest.mark.servers]

STEPS = 50
SECONDS = 1.8
"""For how long each scenario is replayed; at least `LEAST` runs, whatever they take."""

LEAST = 3
SEED = 1
"""Of the first run of each scenario; a disagreement names its own."""

RUNS_TO_DISAGREE = 40


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """Two real servers: one that keeps what it acknowledged, one that may forget."""
    with (
        start(directory=tmp_path_factory.mktemp("durable")) as durable,
        start(directory=tmp_path_factory.mktemp("forgetful"), durable=False) as forgetful,
    ):
        yield {True: durable, False: forgetful}


@pytest.fixture
def play(servers, tmp_path):
    """Replay one run; the number of questions asked beside its steps."""

    def run(scenario, seed: int) -> int:
        folder = tmp_path / str(seed)
        folder.mkdir()
        keeps = scenario.durable and bool(scenario.restarts or scenario.older_copy)
        return asyncio.run(replay(trace(scenario, seed, STEPS), servers[keeps], folder))

    return run


@pytest.mark.parametrize("scenario", REPLAYED, ids=lambda scenario: scenario.name)
def test_real_stores_answer_as_the_model_does(scenario, play, record_property):
    until, seed, probes = time.monotonic() + SECONDS, SEED, 0
    while seed < SEED + LEAST or time.monotonic() < until:
        probes += play(scenario, seed)
        seed += 1

    record_property("replayed", [seed - SEED, (seed - SEED) * STEPS, probes])


def named(name: str):
    """A replayed scenario."""
    return next(scenario for scenario in REPLAYED if scenario.name == f"replay: {name}")


def lua(script: str, old: str, new: str) -> Callable[[pytest.MonkeyPatch], None]:
    """A script with one line broken."""

    def put(patch: pytest.MonkeyPatch) -> None:
        whole = getattr(scripts, script)
        assert old.encode() in whole.source
        source = whole.source.replace(old.encode(), new.encode())
        sha = hashlib.sha1(source, usedforsecurity=False).hexdigest().encode()  # as the server names it
        patch.setattr(scripts, script, replace(whole, source=source, sha=sha))

    return put


def sql(statements: dict[str, str], name: str, old: str, new: str) -> Callable[[pytest.MonkeyPatch], None]:
    """A statement with one condition broken."""

    def put(patch: pytest.MonkeyPatch) -> None:
        assert old in statements[name]
        patch.setitem(statements, name, statements[name].replace(old, new))

    return put


def code(owner: Any, name: str, value: object) -> Callable[[pytest.MonkeyPatch], None]:
    """Something else in place of what the plugin has."""
    return lambda patch: patch.setattr(owner, name, value, raising=False)


BREAKS = {
    "acquire does not look for a marker": (
        "five modes",
        lua("ACQUIRE", "== 1 then return {'DONE', 0, -1} end", "== 2 then return {'DONE', 0, -1} end"),
    ),
    "claim does not ask for the lease": ("five modes", lua("CLAIM", "if not mine(redis.call('GET', LEASE))", "if false")),
    "the guard does not compare the mode": ("five modes", lua("ACQUIRE", "if not string.find(m[6]", "if false and not string.find(m[6]")),
    "the guard does not compare the process": ("restarts, durable", lua("RENEW", "if m[5] ~= run_id()", "if false")),
    "confirm does not raise the counter": ("five modes", lua("CONFIRM", "raise_counter(tonumber(ARGV[8]))", "")),
    "bless does not raise the counter": ("restarts, durable", lua("BLESS", "* 4294967296", "* 0")),
    "bless opens what was not asked for": ("seals", lua("BLESS", "'modes', ARGV[6]", "'modes', ',primary,strict,'")),
    "a seal leaves the windows open": ("seals", lua("SEAL", "'modes', '',", "'modes', field('modes'),")),
    "an older controller is not refused": (
        "a second controller",
        lua("WINDOW", "local refused = refusal()", "EPOCH = ''; local refused = refusal(); EPOCH = ARGV[2]"),
    ),
    "SQLite does not raise its watermark": (
        "wipes, losses accepted",
        sql(CONTROL, "lift_watermark", "max(watermark_ms, ?)", "min(watermark_ms, ?)"),
    ),
    "SQLite drains without looking at dual": (
        "five modes",
        sql(CONTROL, "resting", "IN ('sqlite', 'dual', 'legacy')", "IN ('sqlite', 'legacy')"),
    ),
    "SQLite ignores the floor": ("five modes", code(transaction, "max", lambda one, other: one)),
    "SQLite finds no marker": (
        "courtesies",
        sql(SQL, "state", "bidlock_marker AS m ON m.key = ?", "bidlock_marker AS m ON m.key = ? || '-'"),
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_store_is_found_by_name_of_the_step(name, play, monkeypatch):
    scenario, put = BREAKS[name]
    put(monkeypatch)

    def look_for_it() -> None:
        for seed in range(SEED, SEED + RUNS_TO_DISAGREE):
            play(named(scenario), seed)

    with pytest.raises(Disagreement, match=r"seed \d+, step \d+: "):
        look_for_it()
