"""A whole walk with TLS and with passwords, on a real API server and real servers."""

from __future__ import annotations

import base64
import ssl
import subprocess
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from simulation import bidders, names
from simulation.world import Fleet, condition, policy

from bidlock import Placed, Skipped
from bidlock_operator.kube.kinds import SECRET
from bidlock_operator.reconciling import credentials

pytestmark = [pytest.mark.servers, pytest.mark.slow]


def certificate(folder: Path, name: str) -> dict[str, str]:
    """What cert-manager would put into the Secret; once more for the same folder, what it would renew it to."""
    folder.mkdir(exist_ok=True)
    (folder / "names").write_text(f"subjectAltName=DNS:{name}\n")
    authority = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=throw-away -keyout ca.key -out ca.crt"
    for command in (
        *(() if (folder / "ca.crt").exists() else (authority,)),
        "req -newkey rsa:2048 -nodes -subj /CN=redis -keyout tls.key -out tls.csr",
        "x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names -out tls.crt",
    ):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
    return {file: (folder / file).read_text() for file in ("ca.crt", "tls.crt", "tls.key")}


async def keep(fleet: Fleet, name: str, data: dict[str, str]) -> None:
    """Create a Secret, or change it."""
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    if await fleet.kube.get(SECRET, fleet.namespace, name):
        await fleet.kube.merge(SECRET, fleet.namespace, name, {"data": encoded})
        return
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": fleet.namespace}, "data": encoded}
    await fleet.kube.create(SECRET, fleet.namespace, body)


@pytest.fixture
async def fleet(operated, node, transport, namespace, tmp_path):
    """A fleet whose Redis speaks TLS, at its file."""
    made = Fleet(transport, policy(namespace, redis={"tls": {"secretName": "redis-tls"}}))
    with names.resolved(node):
        await keep(made, "redis-tls", certificate(tmp_path / "tls", f"arbitrage-redis.{namespace}.svc.cluster.local"))
        await made.create()
        await made.walked("SQLite")
        yield made


async def test_a_fleet_bids_once_all_the_way_to_a_redis_with_tls_and_back(fleet, node):
    first = await bidders.bid(fleet, node, "p-0")
    for number, phase in enumerate(("DualSupport", "RedisPrimary", "RedisOnly", "RedisPrimary", "DualSupport", "SQLite"), start=1):
        await fleet.change(phase=phase)
        await fleet.walked(phase, 120)
        assert isinstance(await bidders.bid(fleet, node, f"p-{number}"), Placed)
    again = [await bidders.bid(fleet, node, f"p-{number}") for number in range(7)]

    assert isinstance(first, Placed)
    assert [getattr(outcome, "reason", "placed") for outcome in again] == ["already_bid"] * 7
    assert all(isinstance(outcome, Skipped) for outcome in again)


async def test_only_users_with_a_password_are_let_in_and_a_bidder_to_its_own_keys_alone(fleet, node, tmp_path):
    await fleet.change(phase="RedisPrimary")
    await fleet.walked("RedisPrimary", 120)
    (running,) = node.of(fleet.namespace, "redis")
    told = await bidders.environment(fleet, node)
    place = {"host": f"arbitrage-redis.{fleet.namespace}.svc.cluster.local", "port": 6380, "retry": Retry(NoBackoff(), 0)}
    tls = {"ssl": True, "ssl_ca_certs": str(tmp_path / "tls/ca.crt")}

    with redis.Redis(**place, **tls) as nobody, pytest.raises(redis.AuthenticationError):
        nobody.ping()
    with redis.Redis(host=running.address, port=6379, retry=Retry(NoBackoff(), 0)) as plain, pytest.raises(redis.ConnectionError):
        plain.ping()
    with redis.Redis(**place, **tls, username="bidder", password=told["BIDLOCK_REDIS_PASSWORD"]) as bidder:
        with pytest.raises(redis.exceptions.NoPermissionError):
            bidder.get("bid_lock:upwork:1")
        with pytest.raises(redis.exceptions.NoPermissionError):
            bidder.flushall()


async def test_a_certificate_of_somebody_else_is_told_and_not_trusted(fleet, tmp_path):
    name = f"arbitrage-redis.{fleet.namespace}.svc.cluster.local"
    other = certificate(tmp_path / "other", name)
    await keep(fleet, "redis-tls", {"tls.crt": other["tls.crt"], "tls.key": other["tls.key"]})
    await fleet.change(phase="DualSupport")

    told = await fleet.until(lambda body: "is not trusted" in condition(body, "Progressing", "message"), 90)
    assert told["status"]["to"] == "sqlite"
    assert condition(told, "Degraded") == "True"


async def test_a_renewed_certificate_is_shown_after_a_restart_under_a_seal(fleet, node, tmp_path, monkeypatch):
    monkeypatch.setattr(credentials, "FRESH", 1.0)
    name = f"arbitrage-redis.{fleet.namespace}.svc.cluster.local"
    await fleet.change(phase="RedisPrimary")
    before = await fleet.walked("RedisPrimary", 120)
    await bidders.bid(fleet, node, "p-1")
    renewed = certificate(tmp_path / "tls", name)
    await keep(fleet, "redis-tls", renewed)

    incarnation = before["status"]["buckets"][0]["incarnation"]
    await fleet.until(lambda body: body["status"]["buckets"][0]["incarnation"] > incarnation, 90)
    await fleet.until(lambda body: condition(body, "RedisReady") == "True" and not body["status"]["buckets"][0]["seal"])
    assert shown(node, fleet.namespace) == ssl.PEM_cert_to_DER_cert(renewed["tls.crt"])
    again = await bidders.bid(fleet, node, "p-1")
    assert isinstance(again, Skipped)
    assert again.reason == "already_bid"


def shown(node, namespace: str) -> bytes:
    """The certificate that Redis shows."""
    (running,) = node.of(namespace, "redis")
    return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((running.address, 6380)))
