"""TLS with a throw-away authority, ended by a real TLS endpoint in front of a server (some server builds have none of their own)."""

from __future__ import annotations

import asyncio
import ssl
import subprocess

import pytest

from bidlock.errors import ConfigurationError

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """`ca.pem`, and `localhost.pem` with its key, signed by it; made with the openssl command."""
    folder = tmp_path_factory.mktemp("certificates")
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    for command in (
        "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=throw-away -keyout ca.key -out ca.pem",
        "req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout localhost.key -out localhost.csr",
        "x509 -req -in localhost.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out localhost.pem",
    ):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
async def endpoint(certificates, redis_server):
    """Port of the TLS endpoint; it wants a certificate of the client."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificates / "ca.pem")
    context.load_cert_chain(certificates / "localhost.pem", certificates / "localhost.key")
    context.verify_mode = ssl.CERT_REQUIRED
    tasks = set()

    async def carry(reader, writer):
        try:
            while data := await reader.read(65536):
                writer.write(data)
        finally:
            writer.close()

    async def serve(reader, writer):
        tasks.add(asyncio.current_task())
        onward_reader, onward_writer = await asyncio.open_connection(redis_server.host, redis_server.port)
        await asyncio.gather(carry(reader, onward_writer), carry(onward_reader, writer), return_exceptions=True)

    server = await asyncio.start_server(serve, "127.0.0.1", ssl=context)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def url(certificates, endpoint, redis_url, host="localhost", ca="ca.pem"):
    files = f"ssl_ca_certs={certificates / ca}&ssl_certfile={certificates / 'localhost.pem'}&ssl_keyfile={certificates / 'localhost.key'}"
    return f"rediss://{host}:{endpoint}?{redis_url.partition('?')[2]}&{files}"


async def test_locks_work_over_tls_with_certificates_on_both_sides(opened, ticket, certificates, endpoint, redis_url):
    backend = await opened(url(certificates, endpoint, redis_url))
    answers = await asyncio.gather(*(backend.acquire(ticket(str(number))) for number in range(200)))
    assert all(answer.ok for answer in answers)
    mine = ticket("woken")
    await backend.acquire(mine)
    async with asyncio.timeout(10), backend.wakeups(mine.posting) as woken:
        await backend.release(mine)
        await woken.wait(60)


async def test_a_certificate_of_an_unknown_authority_is_refused(opened, certificates, endpoint, redis_url):
    with pytest.raises(ConfigurationError, match="name its authority with ssl_ca_certs="):
        await opened(f"rediss://localhost:{endpoint}?{redis_url.partition('?')[2]}")


async def test_a_certificate_for_another_host_is_refused_unless_that_is_switched_off(opened, ticket, certificates, endpoint, redis_url):
    elsewhere = url(certificates, endpoint, redis_url, host="127.0.0.1")
    with pytest.raises(ConfigurationError, match="is not trusted"):
        await opened(elsewhere)
    backend = await opened(f"{elsewhere}&ssl_check_hostname=0")
    assert (await backend.acquire(ticket())).ok
