"""The operator takes the file of original bots up while they work on it, and says when they have to end."""

from __future__ import annotations

import contextlib
import sqlite3
import time

import pytest
from simulation.world import Fleet, condition, policy

TABLE = """CREATE TABLE distributed_locks (
    id TEXT PRIMARY KEY, lock_key TEXT UNIQUE NOT NULL, holder_id TEXT NOT NULL, acquired_at FLOAT, expires_at FLOAT, created_at DATETIME)"""


class Original:
    """An original bot."""

    def __init__(self, path):
        self.path, self.count = path, 0

    def takes(self, name=""):
        """Lock a posting, and give it back; whether it got it."""
        self.count += 1
        key = f"bid:lock:upwork:{name or f'~{self.count}'}"
        now = time.time()
        with contextlib.closing(sqlite3.connect(self.path, timeout=30)) as connection:
            try:
                with connection:
                    row = (str(self.count), key, "host:7:0a1b2c3d", now, now + 300, None)
                    connection.execute("INSERT INTO distributed_locks VALUES (?, ?, ?, ?, ?, ?)", row)
            except sqlite3.IntegrityError:
                return False
            with connection:
                connection.execute("DELETE FROM distributed_locks WHERE lock_key = ?", (key,))
        return True

    def markers(self):
        with contextlib.closing(sqlite3.connect(self.path)) as connection:
            return connection.execute("SELECT key, state FROM bidlock_marker ORDER BY key").fetchall()


@pytest.fixture
def original(node, namespace):
    """Its file, on the claim `bids`."""
    folder = node.claim(namespace, "bids")
    folder.mkdir(parents=True)
    bot = Original(folder / "tasks.db")
    with contextlib.closing(sqlite3.connect(bot.path)) as connection:
        connection.execute(TABLE)
    return bot


@pytest.fixture
def adopted(operated, transport, namespace):
    async def adopting(**sqlite):
        body = policy(namespace)
        body["spec"]["sqlite"] = {"claimName": "bids", "path": "tasks.db", **sqlite}
        fleet = Fleet(transport, body)
        await fleet.create()
        await fleet.walked("SQLite")
        return fleet

    return adopting


async def test_original_bots_work_beside_until_redis_is_to_decide_and_again_on_the_way_back(original, adopted):
    fleet = await adopted(legacyPods=True)
    assert original.takes("~beside")
    assert original.markers() == [("upwork:~beside", "presumed")]
    assert not original.takes("~beside")

    await fleet.change(phase="RedisPrimary")
    body = await fleet.until(lambda body: condition(body, "PhaseConverged", "reason") == "LegacyPodsRunning", 90)
    assert (body["status"]["authority"], body["status"]["currentPhase"]) == ("SQLite", "DualSupport")
    assert original.takes()

    await fleet.change(sqlite={"legacyPods": False})
    await fleet.walked("RedisPrimary", 120)
    assert not original.takes()

    await fleet.change(phase="DualSupport", sqlite={"legacyPods": True})
    await fleet.walked("DualSupport", 120)
    await fleet.until(lambda _: original.takes())


async def test_original_bots_that_nobody_told_of_are_refused_every_lock(original, adopted):
    await adopted()

    assert not original.takes()


async def test_only_postings_newer_than_the_adoption_are_for_the_fleet(original, adopted):
    began = time.time()
    fleet = await adopted(legacyPods=True)

    watermark = (await fleet.read())["status"]["watermark"]
    assert began + 60 <= watermark / 1000 <= time.time() + 60


async def test_a_human_may_have_the_fleet_bid_on_all_postings(original, adopted):
    fleet = await adopted(adoption="AllPostings")

    assert not (await fleet.read())["status"].get("watermark")
