import os
import uuid

import pytest

from bidlock.legacy import BidLockManager, RedisBidLockManager
from bidlock_redis.testing.servers import start


@pytest.fixture(autouse=True)
def _settings(monkeypatch):
    """Nothing from outside, and a margin that lets a lock live for a fraction of a second."""
    for name in [name for name in os.environ if name.startswith("BIDLOCK_") or name == "REDIS_URL"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("BIDLOCK_MARGIN", "0.02")


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory):
    with start(directory=tmp_path_factory.mktemp("redis"), durable=False) as server:
        yield server


@pytest.fixture(params=["memory", "sqlite", pytest.param("redis", marks=pytest.mark.servers)])
def kind(request):
    """Which store: each goes with the manager that a bot on it uses."""
    return request.param


@pytest.fixture
async def managers(kind, monkeypatch, tmp_path, request):
    """Make managers of one empty store; closed at the end."""
    made = []
    if kind == "redis":
        server = request.getfixturevalue("redis_server")
        server.flush()
        monkeypatch.setenv("REDIS_URL", server.url)
    else:
        monkeypatch.setenv("BIDLOCK_URL", f"memory://{uuid.uuid4().hex}" if kind == "memory" else f"sqlite:///{tmp_path}/tasks.db")

    def make(**settings):
        made.append((RedisBidLockManager if kind == "redis" else BidLockManager)(**settings))
        return made[-1]

    yield make
    for manager in made:
        await manager.close()
