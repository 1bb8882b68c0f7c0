"""A real file as the origin, core's memory store as the target, a register in a file."""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing

import pytest

from bidlock.addresses import parse
from bidlock.backend import BackendConfig
from bidlock.migration import Wish
from bidlock.migration.acting import Stores
from bidlock.migration.controller import Controller
from bidlock.migration.memory import MemoryTarget
from bidlock.migration.port import Constitution
from bidlock.migration.registerfile import RegisterFile
from bidlock_sqlite.controlled import SqliteOrigin

TERMS = Constitution("register-1", 7, "", ttl_max_ms=3_600_000, margin_ms=5_000)


@pytest.fixture
def terms():
    return TERMS


@pytest.fixture
def make_origin(path):
    def make(buckets=1, **options):
        return SqliteOrigin(BackendConfig(parse(f"sqlite:///{path}"), buckets=buckets, timeout=0.2), **options)

    return make


@pytest.fixture
def origin(make_origin):
    return make_origin()


@pytest.fixture
async def owned(origin):
    """An origin of `register-1` at epoch 7 that admits sqlite and dual."""
    await origin.constitute(TERMS, frozenset({"sqlite", "dual"}))
    return origin


@pytest.fixture
def execute(path):
    """Run SQL as a stranger would."""

    def run(statement, *arguments):
        with closing(sqlite3.connect(path)) as connection, connection:
            return connection.execute(statement, arguments).fetchall()

    return run


@pytest.fixture
def urls(path):
    return f"sqlite:///{path}", f"memory://{uuid.uuid4().hex}"


@pytest.fixture
def stores(origin, urls):
    return Stores(origin, MemoryTarget(BackendConfig(parse(urls[1]))))


@pytest.fixture
def register(tmp_path):
    return RegisterFile(tmp_path / "register.json")


@pytest.fixture
def controller(register, stores):
    return Controller(register, stores, ttl_max_ms=200, margin_ms=10)


@pytest.fixture
def walk(controller):
    """Walk to a mode; what was done on the way."""

    async def to(mode):
        steps = []
        await controller.walk(Wish(mode), steps.append)
        return [step.action for step in steps]

    return to
