"""`bidlock migrate legacy-fence` as it is typed, on a file that original bots use."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bidlock.migration import Wish

pytestmark = pytest.mark.slow

BIDLOCK = Path(sys.executable).with_name("bidlock")


@pytest.fixture
def command(path, register):
    """Run it; code and everything it said."""

    def run(*arguments):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("BIDLOCK_")}
        where = ("--register", str(register.path), "--origin", f"sqlite:///{path}")
        done = subprocess.run(
            [BIDLOCK, "migrate", "legacy-fence", *arguments, *where],
            env=environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.fixture
def lock(path):
    """Lock a posting as an original bot does, and unlock it."""

    def take(name):
        with sqlite3.connect(path) as connection:
            row = (name, f"bid:lock:upwork:{name}", "host:7:0a1b2c3d", time.time(), time.time() + 300)
            connection.execute("INSERT INTO distributed_locks VALUES (?, ?, ?, ?, ?, NULL)", row)
            connection.execute("DELETE FROM distributed_locks WHERE id = ?", (name,))

    return take


async def walk(controller, mode):
    await controller.walk(Wish(mode, accept_not_durable=True), lambda step: None)


async def test_the_fence_binds_original_bots_until_it_is_taken_away(command, lock, controller):
    await walk(controller, "dual")
    code, said = command("install")
    assert (code, "admitted" in said) == (0, True)
    lock("1")

    await walk(controller, "only")
    with pytest.raises(sqlite3.IntegrityError, match="not admitted now"):
        lock("2")
    assert command("remove")[0] != 0  # it has to be said that they have ended
    assert command("remove", "--yes")[0] == 0


async def test_beside_modes_that_rest_on_redis_original_bots_are_refused(command, lock, controller):
    await walk(controller, "only")
    code, said = command("install")

    assert (code, "refused" in said) == (0, True)
    with pytest.raises(sqlite3.IntegrityError, match="not admitted now"):
        lock("1")
    assert command("remove", "--yes")[0] == 0
    lock("1")


def test_without_a_register_nothing_is_done_and_the_way_out_is_told(command, path):
    code, said = command("install")

    assert code != 0
    assert "there is no register" in said
    assert not path.exists()
