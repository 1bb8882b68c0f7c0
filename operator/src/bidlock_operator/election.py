"""One leader among the operator's replicas, by a Lease of the Kubernetes API.

Who leads is told apart by elapsed time alone, measured by each replica for itself; the times written in the Lease are
for humans. A leader that could not renew in time ends its process at once, from a thread that no blocked loop holds up:
a replica that was paused, cut off or starved cannot go on acting as the leader. What such a one had already sent is
refused by the objects themselves: by their resourceVersion, and by `status.operatorEpoch`, which only grows.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from bidlock_operator.kube.client import Kube
from bidlock_operator.kube.errors import AlreadyExists, KubeError
from bidlock_operator.kube.kinds import LEASE

log = structlog.stdlib.get_logger("bidlock_operator.election")

DEPOSED = 70
"""Exit code of a leader that could not renew in time."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. A leader falls silent `deadline` after its last renewal began; the others take over `duration` after they saw it.

    Attributes:
        duration: How long a Lease that does not change is respected.
        deadline: How long a leader goes on without a renewal; below `duration`.
        retry: Between two tries to acquire or renew.
        request: Longest wait for one answer; below `deadline`.
    """

    duration: float = 8.0
    deadline: float = 5.0
    retry: float = 1.0
    request: float = 2.0

    def __post_init__(self) -> None:
        if not 0 < self.retry + self.request <= self.deadline < self.duration:
            raise ValueError(f"{self}: retry + request <= deadline < duration must hold")


def elapsed() -> float:
    """Seconds that go on while the process is stopped, and while the machine sleeps where the system can tell."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def new_identity() -> str:
    """A name that no other process ever had."""
    return f"{socket.gethostname()}_{os.getpid()}_{secrets.token_hex(4)}"


class Election:
    """Takes part in one election, once."""

    def __init__(self, kube: Kube, namespace: str, name: str, *, identity: str = "", timing: Timing | None = None) -> None:
        """Nothing is sent yet.

        Args:
            kube: A client whose requests end within `timing.request`.
            namespace: Where the Lease is.
            name: Of the Lease.
            identity: Of this replica; a fresh one when left out.
            timing: Times.
        """
        self._kube = kube
        self._place = (namespace, name)
        self.identity = identity or new_identity()
        self._timing = timing or Timing()
        self._lease: dict[str, Any] | None = None
        self._seen_at = 0.0
        self._watchdog: Watchdog | None = None
        self.epoch = 0

    @property
    def leading(self) -> bool:
        """Whether this replica may act now."""
        return self._watchdog is not None and self._watchdog.remaining > 0

    async def won(self) -> int:
        """Wait until this replica leads; its epoch, higher than that of every leader before it."""
        while not await self._attempt(self._acquire):  # noqa: ASYNC110 — what is waited for happens on another machine
            await asyncio.sleep(self._timing.retry)
        log.info("leading", identity=self.identity, epoch=self.epoch)
        return self.epoch

    async def keep(self) -> None:
        """Renew until cancelled. Without a renewal in time the process ends."""
        while True:
            await asyncio.sleep(self._timing.retry)
            await self.renew()

    async def renew(self) -> bool:
        """Renew once; whether it was written."""
        return await self._attempt(lambda began: self._write(began, self.epoch))

    async def raise_above(self, epoch: int) -> int:
        """Lead under an epoch above `epoch`: the Lease was deleted once, and counts anew."""
        while self.epoch <= epoch:
            if not await self._attempt(lambda began: self._write(began, epoch + 1)):
                await asyncio.sleep(self._timing.retry)
        return self.epoch

    async def release(self) -> None:
        """Give the Lease back, so that another replica needs not wait; act no more from now on."""
        watchdog, self._watchdog = self._watchdog, None
        if watchdog is None:
            return
        watchdog.stop()
        try:
            await self._put(self._spec("", self.epoch))
        except KubeError as error:
            log.warning("the lease is not given back; it runs out by itself", error=str(error))

    async def _attempt(self, step: Callable[[float], Any]) -> bool:
        began = elapsed()
        try:
            return bool(await step(began))
        except KubeError as error:
            log.warning("lease", error=str(error), identity=self.identity)
            return False

    async def _acquire(self, began: float) -> bool:
        await self._look()
        if self._lease is None:
            return await self._found(began)
        spec = self._lease["spec"]
        if spec.get("holderIdentity") and elapsed() - self._seen_at < self._timing.duration:
            return False
        return await self._write(began, int(spec.get("leaseTransitions") or 0) + 1)

    async def _look(self) -> None:
        """Read the Lease; when it changed, its holder lives."""
        found = await self._kube.get(LEASE, *self._place)
        if _version(found) != _version(self._lease):
            self._seen_at = elapsed()
        self._lease = found

    async def _found(self, began: float) -> bool:
        namespace, name = self._place
        body = {"apiVersion": LEASE.api_version, "kind": LEASE.kind, "metadata": {"name": name, "namespace": namespace}}
        try:
            self._lease = await self._kube.create(LEASE, namespace, body | {"spec": self._spec(self.identity, 1)})
        except AlreadyExists:
            return False
        return self._led(began, 1)

    async def _write(self, began: float, epoch: int) -> bool:
        spec = self._spec(self.identity, epoch)
        try:
            await self._put(spec)
        except KubeError:
            # It may have been written all the same, and is there to be read. An earlier renewal is none: the others saw it long ago.
            await self._look()
            if not self._shows(spec):
                return False
        return self._led(began, epoch)

    def _shows(self, spec: dict[str, Any]) -> bool:
        seen = (self._lease or {}).get("spec") or {}
        return all(seen.get(name) == spec[name] for name in ("holderIdentity", "leaseTransitions", "renewTime"))

    def _led(self, began: float, epoch: int) -> bool:
        self.epoch = epoch
        if self._watchdog is None:
            self._watchdog = Watchdog()
        self._watchdog.extend(began + self._timing.deadline)
        return True

    async def _put(self, spec: dict[str, Any]) -> None:
        assert self._lease is not None  # noqa: S101 — acquired or looked at before
        self._lease = await self._kube.replace(LEASE, *self._place, self._lease | {"spec": spec})
        self._seen_at = elapsed()

    def _spec(self, holder: str, epoch: int) -> dict[str, Any]:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {
            "holderIdentity": holder,
            "leaseDurationSeconds": max(round(self._timing.duration), 1),
            "renewTime": now,
            "acquireTime": now,
            "leaseTransitions": epoch,
        }


class Watchdog:
    """Ends the process when it is not extended in time."""

    def __init__(self) -> None:
        self._until = elapsed() + 3600.0
        self._stopped = threading.Event()
        self._changed = threading.Event()
        threading.Thread(target=self._watch, name="lease-watchdog", daemon=True).start()

    @property
    def remaining(self) -> float:
        """Seconds left."""
        return self._until - elapsed()

    def extend(self, until: float) -> None:
        """Wait until then, by `elapsed`."""
        self._until = until
        self._changed.set()

    def stop(self) -> None:
        """Wait no more."""
        self._stopped.set()
        self._changed.set()

    def _watch(self) -> None:
        while not self._stopped.is_set():
            self._changed.wait(max(self.remaining, 0.0))
            self._changed.clear()
            if self.remaining <= 0 and not self._stopped.is_set():
                sys.stderr.write(
                    "bidlock-operator: the lease could not be renewed in time; another replica may lead, so this process ends\n"
                )
                sys.stderr.flush()
                os._exit(DEPOSED)


def _version(lease: dict[str, Any] | None) -> str:
    return str(lease["metadata"].get("resourceVersion", "")) if lease else ""
