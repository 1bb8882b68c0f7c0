"""One connection under many callers: what is issued in one tick of the event loop leaves as one write, but the first at once.

redis-py opens the connection; from then on the bytes are ours. Replies come in order, so a queue tells which operation
a reply belongs to, and no task is needed per operation.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Iterable
from typing import Any

import hiredis

from bidlock.errors import BackendAmbiguous, BackendError, BackendUnavailable, BidlockError
from bidlock_redis import facts, refusals
from bidlock_redis.dialing import Dialer, Dialled
from bidlock_redis.packing import Words, pack
from bidlock_redis.scripts import Script

WAIT_MS = 250
"""Longest wait for the replicas' acknowledgement."""

GRAVEYARD: list[object] = []
"""Connections that belong to our parent process. Kept, because destroying one would unregister the parent's socket."""


class Operation:
    """One command of one caller, and the future that its reply resolves.

    With a script, `words` are its keys and arguments, and the run_id of the connection's server is appended when the
    bytes are written: never before, because they may be written to another connection than the caller expects.
    """

    __slots__ = ("answer", "asking", "evaluate", "script", "words")

    def __init__(self, words: Words, answer: asyncio.Future[Any], script: Script | None, *, asking: bool = False) -> None:
        self.words = words
        self.answer = answer
        self.script = script
        self.asking = asking
        self.evaluate = False

    def render(self, run_id: bytes) -> bytes:
        """The command as bytes for a connection whose server has that run_id."""
        if self.script is None:
            return pack(self.words)
        if self.evaluate:
            return pack((b"EVAL", self.script.source, *self.words, run_id))
        return pack((b"EVALSHA", self.script.sha, *self.words, run_id))


class Link(asyncio.Protocol):
    """A connection that is opened by the first operation and again after it broke."""

    def __init__(self, dialer: Dialer, *, timeout: float, proxied: bool = False, wait_replicas: int = 0) -> None:
        self._dialer = dialer
        self._timeout = timeout
        self._proxied = proxied
        self._wait = wait_replicas
        self.writes = 0
        """How many packs were written; one tick is one pack."""
        self._forget()

    def _forget(self) -> None:
        """Have no connection, and nobody waiting."""
        self._pending: list[Operation] = []
        self._in_flight: deque[tuple[Operation | None, float]] = deque()
        self._held: list[tuple[Operation, Any]] = []
        self._dialled: Dialled | None = None
        self._transport: asyncio.WriteTransport | None = None
        self._former: asyncio.BaseProtocol | None = None
        self._replies = hiredis.Reader()
        self._run_id = b""
        self._opening: asyncio.Task[None] | None = None
        self._flushing = False
        self._stale = False
        self._sweeper: asyncio.TimerHandle | None = None

    # -- for callers

    async def open(self) -> facts.ServerFacts:
        """Have a connection, and say what its server is.

        Raises:
            ConfigurationError: the server refuses us, or we refuse the server.
            BackendUnavailable: not reached.
        """
        while self._transport is None or self._dialled is None:
            await asyncio.shield(self._reopen())
        return self._dialled.server

    async def close(self) -> None:
        """Drop the connection. What is in flight becomes ambiguous."""
        if self._opening:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        self._fail_pending(BackendUnavailable("the client was closed"))
        await self._drop(BackendAmbiguous("the client was closed before the answer came"))

    def submit(self, script: Script | None, words: Words, *, asking: bool = False) -> asyncio.Future[Any]:
        """Send a script (keys and arguments, without the run_id) or a command: at once if nothing is in flight, else with this tick's pack.

        The future gives the reply. It raises `BackendUnavailable`, `BackendAmbiguous`, or the server's own error
        (`hiredis.ReplyError`) for MOVED and ASK.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        self._pending.append(Operation(words, answer, script, asking=asking))
        if not self._in_flight and not self._wait and self._transport is not None:
            self._flush()  # nobody to share a write with yet, and waiting a turn of the loop is a good part of the latency
        elif not self._flushing:
            self._flushing = True
            loop.call_soon(self._flush)
        return answer

    def abandon(self) -> None:
        """In a forked child: forget the parent's connection without touching it."""
        if self._transport is not None:
            GRAVEYARD.append((self._transport, self._dialled, self._former, self._pending, self._in_flight, self._sweeper))
            bury_socket(self._transport)
        elif self._opening is not None:
            GRAVEYARD.append((self._opening, self._pending))
        self._forget()

    # -- writing

    def _flush(self) -> None:
        self._flushing = False
        if not self._pending:
            return
        if self._transport is None or self._transport.is_closing():
            self._reopen()
            return
        if (self._stale or self._wait) and self._in_flight:
            return  # goes on when the replies are in
        if self._stale:
            self._abort()
            self._reopen()
            return
        self._write(self._transport)

    def _write(self, transport: asyncio.WriteTransport) -> None:
        """One pack. From here on its operations may happen."""
        batch = [operation for operation in self._pending if not operation.answer.done()]
        self._pending = []
        if not batch:
            return
        loop = asyncio.get_running_loop()
        until = loop.time() + self._timeout
        run_id = self._run_id
        parts: list[bytes] = []
        for operation in batch:
            if operation.asking:
                parts.append(pack((b"ASKING",)))
                self._in_flight.append((None, until))
            parts.append(operation.render(run_id))
            self._in_flight.append((operation, until))
        if self._wait:
            # Last, and on this connection: it covers every write before it.
            parts.append(pack((b"WAIT", self._wait, WAIT_MS)))
            self._in_flight.append((None, until))
        transport.write(b"".join(parts))
        self.writes += 1
        if self._sweeper is None:
            self._sweeper = loop.call_at(until, self._sweep)

    def _sweep(self) -> None:
        """Break the connection when its oldest operation has waited too long."""
        self._sweeper = None
        if not self._in_flight:
            return
        loop = asyncio.get_running_loop()
        until = self._in_flight[0][1]
        if until <= loop.time():
            self._break(BackendAmbiguous(f"{self._dialer.where} did not answer in {self._timeout:g} s"))
        else:
            self._sweeper = loop.call_at(until, self._sweep)

    # -- reading (asyncio.Protocol)

    def data_received(self, data: bytes) -> None:
        """Resolve the operations whose replies came."""
        self._replies.feed(data)
        while True:
            try:
                reply = self._replies.gets()
            except hiredis.ProtocolError as error:
                self._break(BackendAmbiguous(f"{self._dialer.where} does not speak Redis: {error}"))
                return
            if reply is False or not self._in_flight:
                break
            operation, _ = self._in_flight.popleft()
            if operation is not None:
                self._take(operation, reply)
            elif self._wait and not self._in_flight:
                self._acknowledged(reply)
        if not self._in_flight and self._pending:
            self._flush()

    def connection_lost(self, error: Exception | None) -> None:
        """Everything in flight may have happened."""
        if self._former is not None:
            self._former.connection_lost(error)
        self._lost(BackendAmbiguous(f"the connection to {self._dialer.where} was lost before the answer came"))

    def _take(self, operation: Operation, reply: Any) -> None:
        if isinstance(reply, hiredis.ReplyError):
            self._take_error(operation, reply)
        elif self._wait:
            self._held.append((operation, reply))
        elif not operation.answer.done():
            operation.answer.set_result(reply)

    def _take_error(self, operation: Operation, reply: BaseException) -> None:
        word = refusals.code(reply)
        if word == "NOSCRIPT" and not operation.evaluate:
            operation.evaluate = True
            self._again(operation)
            return
        self._stale = self._stale or word in refusals.SWITCHED
        if not operation.answer.done():
            operation.answer.set_exception(reply if word in ("MOVED", "ASK") else refusals.error(reply))

    def _again(self, operation: Operation) -> None:
        """Send once more, rendered anew, with the next pack."""
        self._pending.append(operation)
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _acknowledged(self, reply: Any) -> None:
        """The replicas' answer to WAIT: the pack counts, or nobody knows."""
        held, self._held = self._held, []
        enough = isinstance(reply, int) and reply >= self._wait
        for operation, answer in held:
            if operation.answer.done():
                continue
            if enough:
                operation.answer.set_result(answer)
            else:
                operation.answer.set_exception(BackendAmbiguous(f"{reply} of {self._wait} replicas acknowledged the write"))

    # -- the connection's life

    def _reopen(self) -> asyncio.Task[None]:
        if self._opening is None or self._opening.done():
            self._opening = asyncio.get_running_loop().create_task(self._connect())
            self._opening.add_done_callback(self._opened)
        return self._opening

    async def _connect(self) -> None:
        await self._drop(BackendAmbiguous("the connection was replaced before the answer came"))
        dialled = await self._dialer.dial()
        transport, self._former = dialled.hand_over(self)
        self._replies = hiredis.Reader()
        self._run_id = b"" if self._proxied else dialled.server.run_id.encode()
        self._dialled, self._transport, self._stale = dialled, transport, False

    def _opened(self, task: asyncio.Task[None]) -> None:
        """Write what waited for the connection, or say that it did not happen."""
        if task.cancelled():
            self._fail_pending(BackendUnavailable("the client was closed"))
        elif (error := task.exception()) is None:
            self._flush()
        elif isinstance(error, BackendUnavailable):
            self._fail_pending(error)
        else:
            self._fail_pending(BackendUnavailable(str(error) if isinstance(error, BidlockError) else repr(error)))

    def _fail_pending(self, error: BackendError) -> None:
        pending, self._pending = self._pending, []
        _fail(pending, error)

    def _break(self, error: BackendAmbiguous) -> None:
        self._abort()
        self._lost(error)

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _lost(self, error: BackendAmbiguous) -> None:
        flying, self._in_flight = self._in_flight, deque()
        held, self._held = self._held, []
        self._transport = None
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        _fail((operation for operation, _ in flying if operation is not None), error)
        _fail((operation for operation, _ in held), error)
        if self._pending:
            self._reopen()

    async def _drop(self, error: BackendAmbiguous) -> None:
        """End the connection, and wait until redis-py has seen its end, too."""
        dialled, self._dialled = self._dialled, None
        self._abort()
        if dialled is not None:
            await dialled.connection.disconnect()
        self._lost(error)


def bury_socket(transport: asyncio.WriteTransport) -> None:
    """In a forked child: give the parent's socket up, and keep its number taken.

    So nothing else is closed under that number when the transport dies at last, and the event loop's selector, which
    parent and child share, is not touched.
    """
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, transport.get_extra_info("socket").fileno())
    os.close(null)


def _fail(operations: Iterable[Operation], error: BackendError) -> None:
    for operation in operations:
        if not operation.answer.done():
            # Each caller gets an exception of its own: a raised one collects its caller's traceback.
            operation.answer.set_exception(type(error)(str(error)))
