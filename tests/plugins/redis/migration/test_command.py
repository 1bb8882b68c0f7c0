"""`bidlock migrate` as it is typed: the whole walk, stops in the middle, losses, a lost register, and what it refuses."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from typing import NamedTuple

import pytest

from bidlock_redis.testing.servers import start

pytestmark = [pytest.mark.servers, pytest.mark.slow]

BIDLOCK = Path(sys.executable).with_name("bidlock")


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


class Place:
    """One fleet's stores and register, and the command line beside them."""

    def __init__(self, folder, server, run):
        self.server = server
        self.origin = f"sqlite:///{folder / 'bids.db'}"
        self.target = f"{server.url}?prefix=p{uuid.uuid4().hex[:8]}"
        self.register = folder / "register.json"
        self._run = run

    @property
    def where(self):
        return ["--register", str(self.register), "--origin", self.origin, "--target", self.target]

    def __call__(self, *arguments, stores=True):
        return self._run("migrate", *arguments, *(self.where if stores else ("--register", str(self.register))))

    def status(self):
        return self("status", "--json").json


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with start(directory=tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def run(monkeypatch, capfd):
    """Run a command line in this process."""
    from bidlock.cli import app

    for name in [name for name in os.environ if name.startswith("BIDLOCK_")]:
        monkeypatch.delenv(name)
    for name, value in {"BIDLOCK_TTL": "0.2", "BIDLOCK_TTL_MAX": "0.2", "BIDLOCK_MARGIN": "0.01"}.items():
        monkeypatch.setenv(name, value)
    # Whoever runs the tests keeps their logging.
    monkeypatch.setattr("bidlock.cli.logs.configure", lambda debug: None)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["bidlock", *map(str, arguments)])
        code = app.run()
        return Ran(code, *capfd.readouterr())

    return run


@pytest.fixture
def migrate(tmp_path, server, run):
    return Place(tmp_path, server, run)


def test_the_whole_walk_and_back(migrate):
    there = migrate("--to", "redis-only", "--json")
    assert (there.code, there.json["last"]["action"]) == (0, "Noop")
    at_the_end = migrate.status()
    assert (at_the_end["to"], at_the_end["authority"], at_the_end["origin"]["modes"]) == ("redis-only", "target", ["strict"])

    back = migrate("--to", "sqlite")
    assert back.code == 0
    assert [line.split("]")[0] for line in back.out.splitlines() if "Authorise" in line] == ["[strict->dual target"]
    assert (migrate.status()["to"], migrate.status()["authority"]) == ("sqlite", "origin")


def test_a_plan_says_the_steps_and_takes_none(migrate):
    migrate("--to", "sqlite")
    planned = migrate("plan", "--to", "redis-primary", "--json", stores=False).json

    assert (planned["from"], planned["to"]) == ("sqlite", "redis-primary")
    assert len(planned["steps"]) == 3
    assert migrate.status()["to"] == "sqlite"


def test_one_step_at_a_time_ends_where_one_walk_does(migrate):
    actions = []
    while "Noop" not in actions:
        done = migrate("--to", "dual", "--step", "--json").json
        assert len(done["steps"]) == 1
        actions.append(done["last"]["action"])

    assert [name for name in actions if name in ("Begin", "Roll", "Close", "Settle")] == ["Begin", "Roll", "Close", "Settle"]


def test_ctrl_c_ends_it_anywhere_and_the_same_command_goes_on(migrate):
    command = [BIDLOCK, "migrate", "--to", "redis-only", "--watch", *migrate.where]
    for _ in range(2):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
        assert (process.returncode, "run the same command again" in said) == (130, True)

    assert migrate("--to", "redis-only").code == 0
    assert migrate.status()["to"] == "redis-only"


def test_a_loss_halts_names_the_way_out_and_is_accepted_by_its_name(migrate):
    migrate("--to", "redis-only")
    migrate.server.flush()

    halted = migrate("--to", "redis-only")
    assert halted.code != 0
    (nonce,) = set(re.findall(r"naming (\w{32})", halted.out))
    assert migrate("--to", "redis-only", "--accept-authority-loss", "0" * 32).code != 0
    assert migrate("--to", "redis-only", "--accept-authority-loss", nonce).code == 0
    assert migrate.status()["watermark_ms"] > 0


def test_a_lost_register_is_rebuilt_only_when_it_is_said_to_be_lost(migrate):
    migrate("--to", "strict")
    owner = migrate.status()["owner"]
    migrate.register.unlink()

    assert migrate("rebuild", "--owner", owner).code != 0
    assert migrate("rebuild", "--owner", "another", "--yes").code != 0
    assert not migrate.register.exists()
    assert migrate("rebuild", "--owner", owner, "--yes").code == 0
    assert migrate("--to", "sqlite").code == 0


def test_a_server_that_may_forget_gets_the_authority_only_when_that_is_accepted(tmp_path, run):
    with start(directory=tmp_path / "server", durable=False) as server:
        migrate = Place(tmp_path, server, run)
        refused = migrate("--to", "redis-only")
        assert (refused.code != 0, "RedisNotDurable" in refused.out) == (True, True)
        assert migrate.status()["to"] == "strict"
        assert migrate("--to", "redis-only", "--accept-not-durable").code == 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"origin": "target", "target": "origin"}, "are the two URLs swapped"),
        ({"target": "memory://x"}, "cannot take part in a migration"),
        ({"target": "nothing://x"}, "nothing"),
        ({"mode": "redis"}, "redis"),
        ({"register": "{"}, "register"),
    ],
    ids=["swapped", "lacks the port", "no such backend", "no such mode", "a damaged register"],
)
def test_what_cannot_be_meant_is_refused_and_nothing_is_changed(migrate, tmp_path, change, says):
    change = dict(change)
    mode = change.pop("mode", "dual")
    if damaged := change.pop("register", ""):
        migrate.register.write_text(damaged)
    urls = {"origin": migrate.origin, "target": migrate.target}
    for part, value in change.items():
        setattr(migrate, part, urls.get(value, value))

    refused = migrate("--to", mode)

    assert refused.code != 0
    assert says in refused.out + refused.err
    assert not (tmp_path / "bids.db").exists()
    assert migrate.register.exists() is bool(damaged)


def test_a_second_fleet_on_the_same_prefix_is_refused(migrate, tmp_path, server, run):
    migrate("--to", "dual")
    (tmp_path / "other").mkdir()
    stranger = Place(tmp_path / "other", server, run)
    stranger.target = migrate.target

    refused = stranger("--to", "dual")

    assert refused.code != 0
    assert migrate.status()["owner"] in refused.out + refused.err
    assert migrate("--to", "sqlite").code == 0
