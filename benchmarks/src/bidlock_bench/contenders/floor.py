"""The raw floor on Redis: bidlock's own scripts through bare connections, with no library around them.

It leaves out everything a lock library is for: nobody waits, renews, is cancelled, or learns why. What is left is what
one Python process can physically do with these scripts.
"""

from __future__ import annotations

import asyncio
import time

from bidlock.backend import FORMAT, SELF
from bidlock.postings import HASH_NAME, SHARDS
from bidlock_bench.contenders.crowd import fresh_key
from bidlock_bench.contenders.wire import Command, Wire, connect, pack
from bidlock_redis.scripts import ACQUIRE, RELEASE

_NONCE = b"0" * 32
_TTL_MS, _TTL_MAX_MS = 300_000, 3_600_000
_LAYOUT = f"{FORMAT}|1|{HASH_NAME}"


class RedisFloor:
    """Packs of scripts, each one write; two packs are under way in turn, so that neither side waits for the other."""

    def __init__(self, url: str, prefix: str) -> None:
        self._url = url
        self._home = "{" + prefix + ":floor}"
        self._wires: list[Wire] = []

    async def open(self) -> None:
        """Connect, and give the scripts the meta that they check."""
        self._wires = [await connect(self._url) for _ in range(2)]
        wire = self._wires[0]
        info = (await wire.run([("INFO", "server")]))[0]
        self._run_id: bytes = info.partition(b"run_id:")[2].split()[0]
        meta = {"owner": SELF, "format": FORMAT, "buckets": 1, "hash": HASH_NAME, "run_id": self._run_id, "modes": ",only,"}
        fields = [part for item in {**meta, "ttl_max": _TTL_MAX_MS}.items() for part in item]
        await wire.run([("HSET", f"{self._home}:meta", *fields), *(("SCRIPT", "LOAD", script.source) for script in (ACQUIRE, RELEASE))])
        await wire.run([self._acquire("probe"), self._release("probe")])

    async def close(self) -> None:
        """Disconnect."""
        for wire in self._wires:
            wire.close()

    async def rate(self, tasks: int, seconds: float) -> float:
        """Pairs per second with `tasks` operations at hand at any time."""
        wires = self._wires if tasks > 1 else self._wires[:1]
        start = time.perf_counter()
        until = start + seconds
        done = await asyncio.gather(*(self._pairs(wire, tasks // len(wires), until) for wire in wires))
        return sum(done) / (time.perf_counter() - start)

    async def latencies(self, seconds: float) -> list[float]:
        """Seconds of each acquire+release, one after the other."""
        measured, until = [], time.perf_counter() + seconds
        while (start := time.perf_counter()) < until:
            await self._pack(self._wires[0], 1)
            measured.append(time.perf_counter() - start)
        return measured

    async def _pairs(self, wire: Wire, tasks: int, until: float) -> int:
        pairs = 0
        while time.perf_counter() < until:
            await self._pack(wire, tasks)
            pairs += tasks
        return pairs

    async def _pack(self, wire: Wire, tasks: int) -> None:
        keys = [fresh_key() for _ in range(tasks)]
        for command in (self._acquire, self._release):
            payload = b"".join([pack(command(key)) for key in keys])
            replies = await wire.ask(payload, tasks)
            if refused := [reply for reply in replies if isinstance(reply, Exception) or reply[0] != b"OK"]:
                raise RuntimeError(f"the script answered {refused[0]}")

    def _acquire(self, key: str) -> Command:
        home, shard = self._home, hash(key) % SHARDS
        keys = (f"{home}:meta", f"{home}:ctr", f"{home}:lease:{key}", f"{home}:marker:{shard}")
        arguments = (_NONCE, "only", "", _TTL_MS, SELF, _LAYOUT, key, 0, "", "bench", 0, self._run_id)
        return ("EVALSHA", ACQUIRE.sha, len(keys), *keys, *arguments)

    def _release(self, key: str) -> Command:
        return ("EVALSHA", RELEASE.sha, 1, f"{self._home}:lease:{key}", _NONCE, f"{self._home}:freed:{key}", self._run_id)
