"""What every folder of tests may ask for. A server is started when the first test asks for one, and once per process."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """A running Valkey server, a `bidlock_redis.testing.servers.Server`; shared, so leave it as it was."""
    from bidlock_redis.testing import servers  # only where a test asks for a server

    with servers.start(directory=tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_url(redis_server) -> str:
    """URL of `redis_server` under a prefix that no other test uses."""
    return f"{redis_server.url}?prefix=t{uuid.uuid4().hex[:12]}"


@pytest.fixture
def free_port() -> int:
    """A TCP port of loopback that nobody has; somebody may take it before you do."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
