"""Controllers over a memory store or a file as origin, and a real server as target."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bidlock.addresses import parse
from bidlock.backend import BackendConfig
from bidlock.migration import Wish
from bidlock.migration.acting import Stores
from bidlock.migration.actions import Action
from bidlock.migration.connecting import close_both, open_both
from bidlock.migration.controller import Controller
from bidlock.migration.memory import MemoryOrigin
from bidlock.migration.registerfile import RegisterFile
from bidlock_redis.controlled import RedisTarget
from bidlock_sqlite.controlled import SqliteOrigin

TTL_MS, MARGIN_MS = 200, 10

Walk = Callable[..., Awaitable[list[Action]]]


@pytest.fixture
def origin_url(buckets: int, tmp_path: Path) -> str:
    """A memory store; it has one bucket, so for several a file."""
    return f"memory://{uuid.uuid4().hex}" if buckets == 1 else f"sqlite:///{tmp_path / 'origin.db'}"


@pytest.fixture
def file(tmp_path: Path) -> RegisterFile:
    return RegisterFile(tmp_path / "register.json")


@pytest.fixture
async def stores(origin_url: str, target_url: str, buckets: int) -> AsyncIterator[Stores]:
    """The two stores; the test's module names `target_url`."""
    target = RedisTarget(BackendConfig(parse(target_url), buckets=buckets))
    origin = (MemoryOrigin if buckets == 1 else SqliteOrigin)(BackendConfig(parse(origin_url), buckets=buckets))
    both = Stores(origin, target)
    await open_both(both)
    yield both
    await close_both(both)


@pytest.fixture
def controller(file: RegisterFile, stores: Stores) -> Controller:
    return Controller(file, stores, ttl_max_ms=TTL_MS, margin_ms=MARGIN_MS)


@pytest.fixture
def walk(controller: Controller) -> Walk:
    """Walk to a mode; what was done on the way."""

    async def to(mode: str, **wishes: object) -> list[Action]:
        steps: list[Action] = []
        await controller.walk(Wish(mode, **wishes), lambda step: steps.append(step.action))
        return steps

    return to
