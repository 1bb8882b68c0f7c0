"""The rendered configuration on real servers: its users can do their work on it, and nothing else."""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis as redispy
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, BusyLoadingError, NoPermissionError, ResponseError
from redis.retry import Retry

import bidlock
from bidlock import Placed
from bidlock.addresses import parse
from bidlock.backend import BackendConfig
from bidlock.migration import Wish
from bidlock.migration.acting import Stores
from bidlock.migration.actions import Authorise
from bidlock.migration.connecting import close_both, open_both
from bidlock.migration.controller import Controller
from bidlock.migration.registerfile import RegisterFile
from bidlock.modes import Role
from bidlock_operator.manifests import acl, redisconf
from bidlock_redis.controlled import RedisTarget
from bidlock_redis.testing import binaries, servers
from bidlock_sqlite.controlled import SqliteOrigin

pytestmark = [pytest.mark.servers, pytest.mark.slow]

PREFIX = "arb"
MINE = f"{{{PREFIX}:0}}:meta"


@dataclass(frozen=True)
class Configured:
    """A server with the operator's configuration."""

    server: servers.Server
    passwords: acl.Passwords

    def url(self, user: str) -> str:
        return f"redis://{user}:{self.passwords.data()[user]}@127.0.0.1:{self.server.port}/0?prefix={PREFIX}"

    def run(self, user: str, *words: str | int) -> object:
        password = self.passwords.data()[user]
        with redispy.Redis(
            port=self.server.port, username=user, password=password, decode_responses=True, retry=Retry(NoBackoff(), 0)
        ) as client:
            return client.execute_command(*words)

    def restart(self) -> None:
        """Kill it and start it again; return when its data is loaded, which it tells only who has a password."""
        self.server.kill()
        self.server.launch()
        until = time.monotonic() + 30
        while True:
            try:
                self.run("probe", "PING")
            except BusyLoadingError:
                assert time.monotonic() < until, "it is still loading"
                time.sleep(0.01)
            else:
                return


def written(folder: Path, policy: object, passwords: acl.Passwords) -> Path:
    """What the ConfigMap and the Secret hold, with this machine's folder in place of the pod's."""
    users = folder / "users.acl"
    users.write_text(acl.render(PREFIX, passwords))
    text = redisconf.render(policy).replace(redisconf.USERS, str(users)).replace(f"dir {redisconf.DATA}", f"dir {folder}")
    file = folder / "redis.conf"
    file.write_text(text)
    return file


@pytest.fixture(scope="module", params=servers.available())
def configured(request, tmp_path_factory, policy, passwords):
    folder = tmp_path_factory.mktemp(request.param)
    file = written(folder, policy(redis={"config": {"slowlog-max-len": "7"}}), passwords)
    binary = binaries.find(request.param)
    server = servers.Server(request.param, binary, folder, servers.free_port(), {}, (str(file),))
    server.launch()
    with server:
        yield Configured(server, passwords)


def test_a_server_takes_the_configuration(configured):
    wanted = {"appendfsync": "always", "maxmemory-policy": "noeviction", "slowlog-max-len": "7", "maxmemory": "201326592"}

    assert {name: configured.run("operator", "CONFIG", "GET", name)[name] for name in wanted} == wanted


def test_nobody_comes_in_without_a_password(configured):
    with (
        redispy.Redis(port=configured.server.port, retry=Retry(NoBackoff(), 0)) as client,
        pytest.raises(AuthenticationError),
    ):
        client.ping()


@pytest.mark.parametrize("password", ["", "default", "x"])
def test_nobody_can_be_the_default_user(configured, password):
    with (
        redispy.Redis(port=configured.server.port, username="default", password=password or None, retry=Retry(NoBackoff(), 0)) as client,
        pytest.raises(AuthenticationError),
    ):
        client.ping()


def test_what_scripts_wrote_survives_a_crash(configured):
    """In the append-only file that is a transaction, which the server runs as somebody when it starts."""
    key = f"{{{PREFIX}:0}}:markers:survivor"
    script = "redis.call('HSET', KEYS[1], 'a', '1') redis.call('HSET', KEYS[1], 'b', '2') return redis.call('INCR', KEYS[2])"
    configured.run("bidder", "EVAL", script, "2", key, f"{{{PREFIX}:0}}:survivors")

    configured.restart()

    assert configured.run("bidder", "HGETALL", key) == {"a": "1", "b": "2"}
    assert "AOF-loading-client" not in configured.server.log.read_text()


def test_a_write_torn_by_a_crash_keeps_nobody_from_starting(configured):
    """The torn write was never answered; everything before it was, and is there."""
    key = f"{{{PREFIX}:0}}:markers:answered"
    configured.run("bidder", "HSET", key, "a", "1")

    configured.server.kill()
    newest = max(configured.server.directory.rglob("*.aof"), key=lambda file: (file.stat().st_mtime_ns, file.name))
    with newest.open("ab") as file:
        file.write(b"*4\r\n$4\r\nHSET\r\n$9\r\nhalf a ke")
    configured.server.launch()

    assert configured.run("bidder", "HGETALL", key) == {"a": "1"}


FORBIDDEN = [
    ("FLUSHALL",),
    ("FLUSHDB",),
    ("CONFIG", "SET", "appendfsync", "no"),
    ("ACL", "LIST"),
    ("SHUTDOWN", "NOSAVE"),
    ("SCRIPT", "FLUSH"),
    ("CLIENT", "KILL", "TYPE", "normal"),
    ("REPLICAOF", "127.0.0.1", "1"),
    ("BGREWRITEAOF",),
    ("KEYS", "*"),
    ("SCAN", "0"),
    ("GET", "{other:0}:meta"),
    ("SET", "{other:0}:meta", "x"),
    ("SET", "arb", "x"),
    ("DEL", "{arbitrage:0}:meta"),
    ("PUBLISH", "{other:0}:free:x", "1"),
    ("EXPIRE", MINE, "1"),
    ("RENAME", MINE, "{arb:0}:other"),
    ("EVAL", "return redis.call('SET', KEYS[1], 'x')", "1", "{other:0}:meta"),
    ("EVAL", "return redis.call('FLUSHALL')", "0"),
    ("EVAL", "return redis.call('SET', '{other:0}:meta', 'x')", "0"),
]


@pytest.mark.parametrize("user", ["bidder", "operator", "probe"])
@pytest.mark.parametrize("words", FORBIDDEN, ids=" ".join)
def test_no_user_may_do_more_than_its_work(configured, user, words):
    with pytest.raises((NoPermissionError, ResponseError), match=r"(?i)noperm|permission|can't run|can't access|cannot access"):
        configured.run(user, *words)


def test_a_bidder_does_not_learn_the_configuration(configured):
    with pytest.raises(NoPermissionError):
        configured.run("bidder", "CONFIG", "GET", "appendfsync")


@pytest.mark.parametrize("words", [("INFO",), ("GET", MINE), ("EVAL", "return 1", "0"), ("TIME",)], ids=" ".join)
def test_a_probe_may_only_ask_whether_the_server_is_there(configured, words):
    assert configured.run("probe", "PING")
    with pytest.raises(NoPermissionError):
        configured.run("probe", *words)


@pytest.fixture
async def fleet(configured, tmp_path):
    """A controller with the operator's user, and the environment of bidders with theirs."""
    file = RegisterFile(tmp_path / "register.json")
    origin_url = f"sqlite:///{tmp_path / 'bids.db'}"
    both = Stores(
        SqliteOrigin(BackendConfig(parse(origin_url))), RedisTarget(BackendConfig(parse(configured.url("operator")), prefix=PREFIX))
    )
    await open_both(both)
    controller = Controller(file, both, ttl_max_ms=300, margin_ms=10)
    kept = await controller.begin()
    yield (
        controller,
        {
            "BIDLOCK_POLICY": kept.owner,
            "BIDLOCK_SQLITE_URL": origin_url,
            "BIDLOCK_REDIS_URL": configured.url("bidder"),
            "BIDLOCK_MODE_FILE": str(file.mode_path),
            "BIDLOCK_TTL": "0.3",
        },
    )
    await close_both(both)


async def test_the_operators_user_walks_a_fleet_there_and_back_while_bidders_bid_with_theirs(fleet):
    """Acquire, confirm, renew, claim, record, release and wake-ups in every mode; and every write of a controller."""
    controller, environment = fleet
    done, bids = [], []

    async def place(lease):
        await asyncio.sleep(0.12)  # long enough to be renewed once
        return lease.token

    async with bidlock.connect(environment=environment) as locks:
        for mode in ("only", "sqlite", "strict"):
            walking = asyncio.create_task(controller.walk(Wish(mode), lambda step: done.append(step.action)))
            for number in itertools.count(len(bids)):
                outcome = await locks.bid_once("upwork", str(number), place)
                bids.append(outcome)
                if walking.done() and isinstance(outcome, Placed):
                    break
            await walking

    assert [flip.role for flip in done if isinstance(flip, Authorise)] == [Role.TARGET, Role.ORIGIN]
    assert sum(isinstance(outcome, Placed) for outcome in bids) >= 3


def test_a_bidder_hears_of_releases_of_its_own_fleet_and_of_no_other(configured):
    password = configured.passwords.bidder
    with (
        redispy.Redis(port=configured.server.port, username="bidder", password=password, retry=Retry(NoBackoff(), 0)) as client,
        client.pubsub(ignore_subscribe_messages=False) as ears,
    ):
        ears.subscribe("{arb:0}:free:upwork:1")
        assert ears.get_message(timeout=5)["type"] == "subscribe"
        configured.run("bidder", "EVAL", "return redis.call('PUBLISH', ARGV[1], '1')", "0", "{arb:0}:free:upwork:1")
        assert ears.get_message(timeout=5)["data"] == b"1"

        ears.subscribe("{other:0}:free:upwork:1")
        with pytest.raises(NoPermissionError):
            ears.get_message(timeout=5)
