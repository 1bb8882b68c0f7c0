"""The agent is the store itself, one HTTP request away."""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
import socket
import subprocess
import urllib.error
import urllib.request
import uuid

import pytest

import bidlock
from bidlock import plugins
from bidlock.addresses import parse
from bidlock.backend import BackendConfig, MarkerState
from bidlock.errors import BackendAmbiguous, BackendUnavailable, ConfigurationError
from bidlock.migration import Wish, actions
from bidlock.migration.acting import Stores
from bidlock.migration.controller import Controller
from bidlock.migration.looking import look
from bidlock.migration.memory import MemoryTarget
from bidlock.migration.port import MarkerRow, Outcome, Tail
from bidlock.migration.register import Register
from bidlock.migration.registerfile import RegisterFile
from bidlock.migration.sight import Fleet
from bidlock.modes import Role
from bidlock_sqlite.controlled import SqliteOrigin

pytestmark = pytest.mark.slow


def row(number):
    return MarkerRow(f"upwork:{number:05}", secrets.token_hex(16), number, MarkerState.PLACED, 1_700_000_000_000 + number)


@pytest.fixture
async def owned(client, terms):
    assert await client.constitute(terms, frozenset({"sqlite"})) is Outcome.OK
    return client


@pytest.fixture
def local(path):
    return SqliteOrigin(BackendConfig(parse(f"sqlite:///{path}")))


async def test_every_verb_does_to_the_file_what_it_does_at_home(client, local, terms):
    assert (await client.survey(7)).initialised is False
    assert await client.constitute(terms, frozenset({"sqlite"})) is Outcome.OK
    assert await client.open_mode("dual", 7) is Outcome.OK
    assert await client.close_mode("sqlite", 7) is Outcome.OK
    assert await client.raise_watermark(5, 7) is Outcome.OK
    assert (await local.survey(7)).modes == {"dual"}
    assert await client.install_fence(7) is Outcome.OK
    assert (await local.survey(7)).modes == {"dual", "legacy"}
    assert await client.remove_fence(7) is Outcome.OK
    assert await client.fence(frozenset({"dual"}), 8) is Outcome.OK
    assert await client.open_mode("dual", 7) is Outcome.EPOCH
    domain = (await client.survey(8)).domain
    assert await client.copy_in([row(1)], 0, "another") is Outcome.CHANGED
    assert await client.copy_in([row(1)], 0, domain) is Outcome.OK
    assert await client.stamp(Tail(40, 6), 8, 0, domain) is Outcome.OK
    assert await client.tail(0) == Tail(40, 6)
    assert await client.survey(8) == await local.survey(8)
    assert (await client.survey(8)).synced == {0}


async def test_markers_of_one_bucket_come_out_as_they_went_in(owned, connect, client, agent, token_file, terms):
    rows = [row(number) for number in range(2500)]
    domain = (await owned.survey(7)).domain
    assert await owned.copy_in(rows, 0, domain) is Outcome.OK

    assert [one async for chunk in owned.copy_out(0) for one in chunk] == rows


async def test_a_copy_is_not_finished_from_another_file(owned, local, path, terms):
    await owned.survey(7)
    for name in path.parent.glob(path.name + "*"):
        name.unlink()
    await local.constitute(terms, frozenset())

    with pytest.raises(BackendUnavailable, match="not the one"):
        [chunk async for chunk in owned.copy_out(0)]
    with pytest.raises(BackendUnavailable, match="not the one"):
        await owned.tail(0)


async def test_a_file_that_vanished_is_out_of_reach_and_is_not_made_again(owned, path, terms):
    for name in path.parent.glob(path.name + "*"):
        name.unlink()

    with pytest.raises(BackendUnavailable, match="does not exist"):
        await owned.constitute(terms, frozenset())
    assert not path.exists()


async def some(bids):
    """Until a few more bids were placed."""
    enough = len(bids) + 5
    while len(bids) < enough:
        await asyncio.sleep(0.005)


async def test_a_fleet_walks_there_and_back_over_an_agent_while_it_bids(client, path, tmp_path):
    register, url = RegisterFile(tmp_path / "register.json"), f"memory://{uuid.uuid4().hex}"
    controller = Controller(register, Stores(client, MemoryTarget(BackendConfig(parse(url)))), ttl_max_ms=200, margin_ms=10)
    kept = await controller.begin()
    environment = {
        "BIDLOCK_POLICY": kept.owner,
        "BIDLOCK_SQLITE_URL": f"sqlite:///{path}",
        "BIDLOCK_REDIS_URL": url,
        "BIDLOCK_MODE_FILE": str(register.mode_path),
        "BIDLOCK_TTL": "0.2",
    }
    bids, ended, steps = [], asyncio.Event(), []

    async def bidder(locks):
        for number in itertools.count():
            if ended.is_set():
                return

            async def place(lease, number=number):
                bids.append(number)

            await locks.bid_once("upwork", str(number), place)
            await asyncio.sleep(0.001)

    async with bidlock.connect(environment=environment) as one, bidlock.connect(environment=environment) as two:
        bidding = [asyncio.create_task(bidder(locks)) for locks in (one, two)]
        await controller.walk(Wish("only"), steps.append)
        await controller.walk(Wish("sqlite"), steps.append)
        ended.set()
        await asyncio.gather(*bidding)

    assert [step.action.role for step in steps if isinstance(step.action, actions.Authorise)] == [Role.TARGET, Role.ORIGIN]
    assert len(bids) == len(set(bids))


async def test_an_agent_that_is_gone_is_unavailable(agent, client, terms):
    agent.stop()

    with pytest.raises(BackendUnavailable, match="not reached"):
        await client.survey(0)


async def test_an_answer_that_is_lost_is_ambiguous(connect, token_file):
    async def dies(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(dies, "127.0.0.1", 0) as server:
        client = connect(f"sqlite+http://127.0.0.1:{server.sockets[0].getsockname()[1]}?token_file={token_file}")

        with pytest.raises(BackendAmbiguous, match="lost"):
            await client.open_mode("sqlite", 7)


async def test_an_agent_that_never_answers_is_ambiguous(connect, token_file):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = connect(f"sqlite+http://127.0.0.1:{silent.getsockname()[1]}?token_file={token_file}")

        with pytest.raises(BackendAmbiguous, match="lost"):
            await client.survey(0)


@pytest.mark.parametrize("last", [b"", b'["upwork:1", "' + b"0" * 32 + b'", 1, "placed", 0]\n'])
async def test_a_copy_that_is_cut_short_is_not_taken_for_a_whole_one(last, connect, token_file):
    async def half(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + last)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(half, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        client = connect(f"sqlite+http://127.0.0.1:{port}?token_file={token_file}")

        with pytest.raises((BackendUnavailable, BackendAmbiguous)):
            [chunk async for chunk in client.copy_out(0)]


async def test_a_server_that_is_no_agent_is_told(connect, token_file):
    async def other(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(other, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ConfigurationError, match="no bidlock agent"):
            await connect(f"sqlite+http://127.0.0.1:{port}?token_file={token_file}").survey(0)


async def test_a_wrong_token_changes_nothing_and_is_told(agent, connect, local, tmp_path, terms):
    wrong = tmp_path / "wrong"
    wrong.write_text("f" * 32)
    stranger = connect(agent.url(f"?token_file={wrong}"))

    with pytest.raises(ConfigurationError, match="refuses the token"):
        await stranger.constitute(terms, frozenset())
    assert (await local.survey(0)).initialised is False


async def test_an_agent_that_refuses_the_token_hides_nothing_of_the_other_store(agent, connect, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.write_text("f" * 32)
    target = MemoryTarget(BackendConfig(parse(f"memory://{uuid.uuid4().hex}")))
    register = Register(1, "dual", "dual", Role.ORIGIN, "file")

    sight = await look(Stores(connect(agent.url(f"?token_file={wrong}")), target), register, Fleet("dual"), "me")

    assert not sight.origin.reachable
    assert all(bucket.reachable for bucket in sight.buckets)


async def test_a_token_that_was_changed_holds_at_once(agent, client, token_file):
    held = await client.survey(0)
    token_file.write_text("another-token-of-enough-characters")

    with pytest.raises(ConfigurationError, match="refuses the token"):
        await client.survey(0)
    assert held.reachable


async def test_the_token_may_come_from_the_environment(agent, connect, token_file, monkeypatch):
    monkeypatch.setenv("BIDLOCK_AGENT_TOKEN", token_file.read_text())

    assert (await connect(agent.url()).survey(0)).reachable


async def test_the_token_may_be_the_urls_password_which_nothing_prints(agent, connect, token_file):
    token = token_file.read_text().strip()
    client = connect(f"sqlite+http://:{token}@{agent.host}:{agent.port}")

    assert (await client.survey(0)).reachable
    assert token not in repr(client.__dict__["_shown"])


def ask(agent, path, body=None, token=""):
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(f"http://{agent.host}:{agent.port}{path}", data, {"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_health_needs_no_token_and_tells_whether_the_file_is_there(agent, path):
    assert ask(agent, "/healthz") == (200, {"status": "ok"})
    path.unlink()
    assert ask(agent, "/healthz") == (503, {"status": "unavailable"})


@pytest.mark.parametrize("place", ["/v1/survey", "/v1/constitute", "/v1/nothing", "/", "/healthz/"])
def test_everything_else_needs_the_token(place, shared_agent):
    assert ask(shared_agent, place, {"epoch": 0})[0] == 401


@pytest.mark.parametrize(
    ("place", "body", "status", "sentence"),
    [
        ("/v1/nothing", {}, 404, "no verb"),
        ("/v1/survey", b"{", 400, "no JSON"),
        ("/v1/survey", [], 400, "no JSON object"),
        ("/v1/survey", {}, 400, "epoch"),
        ("/v1/survey", {"epoch": "1"}, 400, "no whole number"),
        ("/v1/survey", {"epoch": True}, 400, "no whole number"),
        ("/v1/survey", {"epoch": 1, "buckets": "many"}, 400, "malformed"),
        ("/v1/open_mode", {"mode": 3, "epoch": 1}, 400, "no text"),
        ("/v1/copy_in", {"rows": [["k", "n", 1, "bid", 0]], "bucket": 0, "seen": ""}, 400, "malformed"),
        ("/v1/constitute", {"constitution": {}, "modes": []}, 400, "owner"),
        ("/v1/_origin", {}, 404, "no verb"),
    ],
)
def test_a_malformed_request_is_refused_in_one_sentence(place, body, status, sentence, shared_agent, token):
    code, answer = ask(shared_agent, place, body, token)

    assert code == status
    assert sentence in answer["error"]
    assert "\n" not in answer["error"]


@pytest.fixture
def certificate(tmp_path):
    files = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        (
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost "
            f"-addext subjectAltName=IP:127.0.0.1 -out {files[0]} -keyout {files[1]}"
        ).split(),
        check=True,
        capture_output=True,
    )
    return files


async def test_tls_is_served_to_whoever_trusts_the_certificate(start, certificate, connect, token_file):
    agent = start("--tls-cert", certificate[0], "--tls-key", certificate[1])
    assert agent.url().startswith("sqlite+https://")

    assert (await connect(agent.url(f"?token_file={token_file}&ca_file={certificate[0]}")).survey(0)).reachable
    with pytest.raises(ConfigurationError, match="ca_file"):
        await connect(agent.url(f"?token_file={token_file}")).survey(0)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("sqlite+http://", "no agent's URL"),
        ("sqlite+http://a,b", "no agent's URL"),
        ("sqlite+http://host/bids.db", "no agent's URL"),
        ("sqlite+http://user@host", "no agent's URL"),
        ("sqlite+http://host?tokenfile=x", "knows no option"),
        ("sqlite+http://host", "token is not configured"),
        ("sqlite+http://host?token_file=/nowhere", "cannot be read"),
        ("sqlite+https://host?token_file={token}&ca_file=/nowhere", "ca_file"),
    ],
)
def test_a_url_that_cannot_work_says_what_to_write(url, sentence, connect, token_file):
    with pytest.raises(ConfigurationError, match=sentence):
        connect(url.format(token=token_file))


def test_a_bidder_is_told_to_open_the_file_itself():
    spec = plugins.load().backend("sqlite+http")

    assert spec.origin
    with pytest.raises(ConfigurationError, match="bidders open the file itself"):
        spec.factory(BackendConfig(parse("sqlite+http://host")))


def test_an_agent_ends_cleanly_when_told_to(agent):
    agent.process.terminate()

    assert agent.process.wait() == 0
