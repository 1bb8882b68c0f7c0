"""Tell waiters of other processes that a posting became free: one unix datagram socket per client, beside the file.

Sockets live in `<file>.wake/` while somebody waits. A datagram carries the digests (8 bytes each) of the postings that
one transaction freed; each client wakes the waiters it is about. A message may be late or lost: waiters also look for
themselves from time to time, which covers the original bot, too, for it tells nobody.
"""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
import socket
import struct
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from bidlock_sqlite import forks

LONGEST_SLEEP = 1.0
"""A waiter looks for itself at least this often, seconds."""

SLEEP_WITHOUT_SOCKET = 0.1
"""The same where no socket can be had."""

_SHORT_ENOUGH = 100
_MANY_DATAGRAMS = 4
_DIGESTS_PER_DATAGRAM = 4096
_TRIES = 3


class Waiter:
    """One subscription; see `bidlock.backend.Wakeups`."""

    def __init__(self, longest: float) -> None:
        self.told = asyncio.Event()
        self._longest = longest

    async def wait(self, timeout: float) -> None:
        """See `Wakeups.wait`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(min(timeout, self._longest)):
                await self.told.wait()
        self.told.clear()


class Wakeup:
    """The waiters of one client, its socket, and the way to everybody else's.

    Args:
        path: The lock file.
    """

    def __init__(self, path: Path) -> None:
        self._directory = Path(f"{path}.wake")
        self._begin_afresh()
        forks.register(self)

    def _begin_afresh(self) -> None:
        self._waiters: dict[int, set[Waiter]] = defaultdict(set)
        self._socket: socket.socket | None = None
        self._name = ""

    @asynccontextmanager
    async def subscribed(self, digest: int) -> AsyncIterator[Waiter]:
        """Be told of the posting with this digest."""
        listening = self._listen()
        waiter = Waiter(LONGEST_SLEEP if listening else SLEEP_WITHOUT_SOCKET)
        self._waiters[digest].add(waiter)
        try:
            yield waiter
        finally:
            self._waiters[digest].discard(waiter)
            if not self._waiters[digest]:
                self._waiters.pop(digest, None)
            if not self._waiters:
                self.close()

    def tell(self, digests: Sequence[int]) -> None:
        """Tell every client that listens; called in the writer's thread."""
        with suppress(OSError):  # nobody ever waited here, or the last one leaves just now
            self._tell_all(digests)

    def _tell_all(self, digests: Sequence[int]) -> None:
        names = [path.name for path in self._directory.iterdir() if not path.name.startswith(".")]
        if not names:
            return
        with _Way(self._directory) as way, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            for name in names:
                _send(sender, way, name, digests)

    def close(self) -> None:
        """Stop listening. Idempotent."""
        receiver, self._socket = self._socket, None
        if receiver is None:
            return
        with suppress(RuntimeError):  # outside of a loop there is no reader to remove
            asyncio.get_running_loop().remove_reader(receiver)
        receiver.close()
        with suppress(OSError):
            (self._directory / self._name).unlink()
        with suppress(OSError):
            self._directory.rmdir()  # only the last one succeeds

    def before_fork(self) -> None:
        """See `forks.Forked`: a socket survives a fork."""

    def after_fork_in_parent(self) -> None:
        """See `forks.Forked`."""

    def after_fork_in_child(self) -> None:
        """See `forks.Forked`: the socket is the parent's; its waiters are not here."""
        if self._socket:
            self._socket.close()
        self._begin_afresh()

    def _listen(self) -> bool:
        if self._socket is None:
            try:
                self._socket, self._name = _bound(self._directory)
            except OSError:
                return False
            asyncio.get_running_loop().add_reader(self._socket, self._receive, self._socket)
        return True

    def _receive(self, receiver: socket.socket) -> None:
        received = 0
        with suppress(OSError):
            while True:
                self._wake(_digests(receiver.recv(8 * _DIGESTS_PER_DATAGRAM)))
                received += 1
        # The kernel drops datagrams when some ten of them wait: then anything may have become free.
        if received >= _MANY_DATAGRAMS:
            self._wake(list(self._waiters))

    def _wake(self, digests: Iterable[int]) -> None:
        for digest in digests:
            for waiter in self._waiters.get(digest, ()):
                waiter.told.set()


class _Way:
    """A path to a directory that is short enough for a socket's address."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._descriptor = -1

    def __enter__(self) -> _Way:
        if len(os.fsencode(self._directory)) > _SHORT_ENOUGH - 40:
            self._descriptor = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
        return self

    def __exit__(self, *_: object) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def to(self, name: str) -> str:
        """The address of a socket in the directory."""
        if self._descriptor >= 0:
            return f"/proc/self/fd/{self._descriptor}/{name}"
        return str(self._directory / name)


def _bound(directory: Path) -> tuple[socket.socket, str]:
    name = f"{os.getpid()}-{secrets.token_hex(4)}"
    for _ in range(_TRIES):
        receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        receiver.setblocking(False)
        try:
            _bind(receiver, directory, name)
        except FileNotFoundError:  # the last one who left took the directory along
            receiver.close()
        except OSError:
            receiver.close()
            raise
        else:
            return receiver, name
    raise FileNotFoundError(directory)


def _bind(receiver: socket.socket, directory: Path, name: str) -> None:
    directory.mkdir(exist_ok=True)
    with _Way(directory) as way:
        # Senders overlook it until it is bound: they would take an unbound one for a dead process's.
        receiver.bind(way.to(f".{name}"))
    (directory / f".{name}").rename(directory / name)


def _digests(datagram: bytes) -> list[int]:
    whole = len(datagram) // 8
    return list(struct.unpack_from(f"<{whole}Q", datagram))


def _send(sender: socket.socket, way: _Way, name: str, digests: Sequence[int]) -> None:
    for start in range(0, len(digests), _DIGESTS_PER_DATAGRAM):
        part = digests[start : start + _DIGESTS_PER_DATAGRAM]
        try:
            sender.sendto(struct.pack(f"<{len(part)}Q", *part), way.to(name))
        except OSError as error:
            if error.errno == errno.ECONNREFUSED:
                with suppress(OSError):
                    Path(way.to(name)).unlink()  # its process is dead
            return
