"""Commands over stores that outlive their process."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bidlock_redis.testing.servers import start

pytestmark = pytest.mark.slow

BIDLOCK = Path(sys.executable).with_name("bidlock")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with start(directory=tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture(params=["sqlite", pytest.param("redis", marks=pytest.mark.servers)])
def store(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/bids.db"
    server = request.getfixturevalue("server")
    server.flush()
    return server.url


def test_of_many_processes_at_once_exactly_one_runs_the_command(process, store):
    ran = []
    threads = [
        threading.Thread(target=lambda: ran.append(process("once", "--url", store, "upwork:~01ab", "--", "echo", "bid"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted((one.code, one.out) for one in ran) == [(0, "bid\n")] + [(3, "")] * 7


def test_a_bid_that_was_killed_half_way_is_never_placed_again(process, store):
    with subprocess.Popen(
        [BIDLOCK, "once", "--url", store, "upwork:~01ab", "--", "sh", "-c", "echo started; read never"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as bidding:
        assert bidding.stdout.readline() == b"started\n"
        bidding.send_signal(signal.SIGKILL)
        bidding.wait()
        bidding.stdin.close()  # ends the command, which its killed parent could not

    ran = process("once", "--url", store, "upwork:~01ab", "--", "echo", "bid")

    assert (ran.code, ran.out) == (3, "")
    assert process("inspect", "--url", store, "--json", "upwork:~01ab").json["marker"]["state"] == "claimed"


def test_a_break_frees_what_another_process_holds(process, store):
    with subprocess.Popen(
        [BIDLOCK, "hold", "--url", store, "upwork:1", "--", "sh", "-c", "echo started; read never"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holding:
        assert holding.stdout.readline() == b"started\n"
        assert process("hold", "--url", store, "--timeout", "0", "upwork:1", "--", "true").code == 3

        assert "broke the lease of upwork:1" in process("break", "--url", store, "--yes", "--reason", "pod is gone", "upwork:1").out

        assert process("hold", "--url", store, "--timeout", "0", "upwork:1", "--", "true").code == 0
        holding.stdin.close()


def test_the_doctor_finds_a_durable_store_healthy_and_does_not_initialise_it(process, store):
    ran = process("doctor", store, "--json")

    assert (ran.code, ran.json["healthy"]) == (0, True)
    assert ran.json["stores"][0]["observed"]["initialised"] is False
    process("once", "--url", store, "upwork:1", "--", "true")
    observed = process("doctor", store, "--json").json["stores"][0]["observed"]
    assert (observed["initialised"], observed["live"], observed["owner"], observed["durable"]) == (True, True, "self", True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["once", "upwork:1", "--", "echo", "in"],
        ["hold", "--timeout", "0", "upwork:1", "--", "echo", "in"],
        ["inspect", "upwork:1"],
        ["break", "--yes", "--reason", "x", "upwork:1"],
        ["doctor"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_store_that_nobody_serves_is_unreachable(process, arguments):
    ran = process(*arguments, BIDLOCK_URL="redis://user:secret@127.0.0.1:1/0", BIDLOCK_REACH_TIMEOUT="0.1")

    assert ran.code == 4
    assert "in\n" not in ran.out
    assert "127.0.0.1:1" in ran.out + ran.err
    assert "secret" not in ran.out + ran.err
    assert "Traceback" not in ran.err


@pytest.mark.servers
@pytest.mark.parametrize(
    ("config", "says"),
    [({"maxmemory-policy": "allkeys-lru"}, "noeviction"), ({"requirepass": "right"}, "password")],
    ids=["evicts", "wrong password"],
)
def test_a_server_that_cannot_be_trusted_is_refused_with_the_remedy(process, tmp_path, config, says):
    with start(directory=tmp_path, config=config) as server:
        credentials = ":sesame@" if "requirepass" in config else ""
        ran = process("once", "--url", f"redis://{credentials}127.0.0.1:{server.port}/0", "upwork:1", "--", "echo", "in")

    assert (ran.code, ran.out) == (5, "")
    assert says in ran.err
    assert "sesame" not in ran.err
    assert len(ran.err.splitlines()) == 1


@pytest.mark.servers
def test_a_server_that_may_lose_bids_is_a_warning_with_a_remedy(process, tmp_path):
    with start(directory=tmp_path, durable=False) as server:
        ran = process("doctor", server.url, "--json")
        process("once", "--url", server.url, "upwork:1", "--", "true")
        ran = process("doctor", server.url, "--json")

    assert ran.code == 0
    (finding,) = [finding for finding in ran.json["findings"] if finding["check"] == "durability"]
    assert finding["level"] == "warning"
    assert "appendfsync" in finding["remedy"]


def test_a_corrupt_file_is_named(process, tmp_path):
    (tmp_path / "bids.db").write_bytes(b"this is no database" * 1000)

    ran = process("once", "--url", f"sqlite:///{tmp_path}/bids.db", "upwork:1", "--", "echo", "in")

    assert ran.code in (4, 5)
    assert "bids.db" in ran.err
    assert len(ran.err.splitlines()) == 1
