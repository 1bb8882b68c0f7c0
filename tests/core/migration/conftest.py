import uuid

import pytest

from bidlock.addresses import parse
from bidlock.backend import BackendConfig
from bidlock.migration import Wish
from bidlock.migration.acting import Stores
from bidlock.migration.controller import Controller
from bidlock.migration.memory import MemoryOrigin, MemoryTarget
from bidlock.migration.registerfile import RegisterFile

TTL_MS, MARGIN_MS = 150, 5


def config(url, owner="self"):
    return BackendConfig(parse(url), owner=owner)


@pytest.fixture
def urls():
    return f"memory://{uuid.uuid4().hex}", f"memory://{uuid.uuid4().hex}"


@pytest.fixture
def stores(urls):
    return Stores(MemoryOrigin(config(urls[0])), MemoryTarget(config(urls[1])))


@pytest.fixture
def file(tmp_path):
    return RegisterFile(tmp_path / "register.json")


@pytest.fixture
def controller(file, stores):
    return Controller(file, stores, ttl_max_ms=TTL_MS, margin_ms=MARGIN_MS)


@pytest.fixture
def walk(controller):
    """Walk to a mode; what was done on the way."""

    async def to(mode, **wishes):
        steps = []
        await controller.walk(Wish(mode, **wishes), steps.append)
        return [step.action for step in steps]

    return to
