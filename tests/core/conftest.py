import uuid

import pytest

import bidlock
from bidlock.hookspecs import hookimpl
from bidlock.plugins import load


class Recorder:
    """Remembers every event."""

    def __init__(self):
        self.events = []

    @hookimpl
    def bidlock_observe(self, event):
        self.events.append(event)

    def kinds(self):
        return [type(event).__name__ for event in self.events]


@pytest.fixture
def url():
    return f"memory://{uuid.uuid4().hex}"


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
async def locks(url, recorder):
    """A client over a fresh memory store with a short TTL, whose events `recorder` sees."""
    plugins = load({})
    plugins.register(recorder, "recorder")
    async with bidlock.connect(url, environment={}, loaded=plugins, ttl=0.6, margin=0.02, timeout=5.0, holder="me:1") as client:
        yield client


@pytest.fixture
async def rival(url):
    """Another client of the same store, as another process would be."""
    async with bidlock.connect(url, environment={}, ttl=0.6, timeout=0.0, holder="rival:2") as client:
        yield client
