"""The contenders on Redis by name, so that a worker process can build its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from bidlock_bench.contenders.crowd import Contender, Rated
from bidlock_bench.contenders.floor import RedisFloor
from bidlock_bench.contenders.original import OriginalOnRedis
from bidlock_bench.contenders.peers import PythonRedisLock, RedisPyLock
from bidlock_bench.contenders.product import Product
from bidlock_bench.results import Role


class Library(NamedTuple):
    """What a lock library is in the comparison, and how to build it from `(url, prefix)`."""

    role: Role
    build: Callable[[str, str], Contender]


class Runner(NamedTuple):
    """The same for one of which only the speed can be measured."""

    role: Role
    build: Callable[[str, str], Rated]


LIBRARIES: dict[str, Library] = {
    "bidlock": Library(Role.PRODUCT, Product),
    "redis-py": Library(Role.PEER, RedisPyLock),
    "python-redis-lock": Library(Role.PEER, PythonRedisLock),
    "original algorithm": Library(Role.ORIGINAL, OriginalOnRedis),
}
"""Everybody who can wait and hold."""

RUNNERS: dict[str, Library | Runner] = {**LIBRARIES, "raw floor": Runner(Role.FLOOR, RedisFloor)}
"""Everybody whose speed can be measured; the floor only sends scripts."""
