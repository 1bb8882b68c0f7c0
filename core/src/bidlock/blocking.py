"""The same front door for threads: `bidlock.Locks` on a background event loop, not a second implementation.

with bidlock.blocking.connect("sqlite:///bids.db") as locks:
    outcome = locks.bid_once("freelancer", "38412077", place)
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from bidlock import connecting, locks
from bidlock.asks import PostedAt
from bidlock.backend import Inspection, LeaseRecord, Observed
from bidlock.leases import Lease
from bidlock.outcomes import Placed, Skipped
from bidlock.postings import Posting

Result = TypeVar("Result")


class BlockingLease:
    """A lease for thread code; renewed by the background loop however long the thread computes.

    Attributes:
        posting: What is leased.
        token: Fencing token.
        holder: Who holds it, for humans.
        nonce: The attempt's identity.
    """

    def __init__(self, lease: Lease, loop: _Loop) -> None:
        self.posting: Posting = lease.posting
        self.token = lease.token
        self.holder = lease.holder
        self.nonce = lease.nonce
        self._lease = lease
        self._loop = loop

    def __repr__(self) -> str:
        return f"<Blocking{repr(self._lease)[1:]}"

    @property
    def deadline(self) -> float:
        """Monotonic time (seconds) until which nobody else can hold it; moves with each renewal."""
        return self._lease.deadline

    @property
    def is_lost(self) -> bool:
        """Whether it was lost; set before anybody else can win."""
        return self._lease.lost.is_set() or self._lease.remaining <= 0

    def check(self) -> None:
        """Raise `LeaseLost` if the lease cannot be relied on any more."""
        self._lease.check()

    def wait_lost(self, timeout: float) -> bool:
        """Wait until the lease is lost, at most `timeout` seconds; whether it is."""
        return self._loop.run(_lost_within(self._lease, timeout))

    def release(self) -> bool:
        """Release it; whether it was still held."""
        return self._loop.run(self._lease.release())


class BlockingLocks:
    """`bidlock.Locks` for threads; one object may serve many threads."""

    def __init__(self, inner: Callable[[], locks.Locks]) -> None:
        """Nothing is started before `with`.

        Args:
            inner: Makes the client; called on the background loop.
        """
        self._make = inner
        self._loop = _Loop()
        self._inner: locks.Locks | None = None

    def __enter__(self) -> Self:
        self._loop.start()
        try:
            self._inner = self._loop.run(self._opened())
        except BaseException:
            self._loop.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            self._loop.run(self._locks.close())
        finally:
            self._loop.stop()

    def bid_once(
        self,
        marketplace: str,
        posting_id: str,
        place: Callable[[BlockingLease], Result],
        *,
        posted_at: PostedAt = None,
        ttl: float | None = None,
        timeout: float = 0.0,
    ) -> Placed[Result] | Skipped:
        """See `Locks.bid_once`; `place` runs in the calling thread."""
        desk: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()

        async def relay(lease: Lease) -> Result:
            placed: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
            desk.put(lambda: self._loop.settle(placed, lambda: place(BlockingLease(lease, self._loop))))
            return await placed

        bidding = self._loop.submit(self._locks.bid_once(marketplace, posting_id, relay, posted_at=posted_at, ttl=ttl, timeout=timeout))
        bidding.add_done_callback(lambda _: desk.put(None))
        try:
            while (job := desk.get()) is not None:
                job()
        except BaseException:
            bidding.cancel()
            raise
        return bidding.result()

    def hold(
        self,
        marketplace: str,
        posting_id: str,
        *,
        ttl: float | None = None,
        timeout: float | None = None,
        posted_at: PostedAt = None,
        max_hold: float | None = None,
    ) -> _BlockingHold:
        """See `Locks.hold`; a plain context manager that yields a `BlockingLease`."""
        entered = self._locks.hold(marketplace, posting_id, ttl=ttl, timeout=timeout, posted_at=posted_at, max_hold=max_hold)
        return _BlockingHold(entered, self._loop)

    def try_hold(
        self, marketplace: str, posting_id: str, *, ttl: float | None = None, posted_at: PostedAt = None, max_hold: float | None = None
    ) -> BlockingLease | None:
        """See `Locks.try_hold`."""
        lease = self._loop.run(self._locks.try_hold(marketplace, posting_id, ttl=ttl, posted_at=posted_at, max_hold=max_hold))
        return BlockingLease(lease, self._loop) if lease else None

    def inspect(self, marketplace: str, posting_id: str) -> Inspection:
        """See `Locks.inspect`."""
        return self._loop.run(self._locks.inspect(marketplace, posting_id))

    def break_lock(self, marketplace: str, posting_id: str, *, by: str, reason: str) -> LeaseRecord | None:
        """See `Locks.break_lock`."""
        return self._loop.run(self._locks.break_lock(marketplace, posting_id, by=by, reason=reason))

    def observe(self) -> Observed:
        """See `Locks.observe`."""
        return self._loop.run(self._locks.observe())

    @property
    def _locks(self) -> locks.Locks:
        if self._inner is None:
            raise RuntimeError("enter the client first: with bidlock.blocking.connect(...) as locks")
        return self._inner

    async def _opened(self) -> locks.Locks:
        return await self._make().open()


class _BlockingHold:
    def __init__(self, hold: Any, loop: _Loop) -> None:
        self._hold = hold
        self._loop = loop

    def __enter__(self) -> BlockingLease:
        return BlockingLease(self._loop.run(self._hold.__aenter__()), self._loop)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._loop.run(self._hold.__aexit__(kind, error, trace))


class _Loop:
    """An event loop in a thread of its own."""

    _loop: asyncio.AbstractEventLoop
    _thread: threading.Thread

    def start(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="bidlock", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def submit(self, work: Coroutine[Any, Any, Result]) -> asyncio.Future[Result] | Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run to the end; an interrupt of the waiting thread cancels the work."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def settle(self, future: asyncio.Future[Result], work: Callable[[], Result]) -> None:
        """Run `work` in the calling thread and hand its result or exception to a future of the loop."""
        try:
            result = work()
        except Exception as error:
            self._loop.call_soon_threadsafe(_set_exception, future, error)
        else:
            self._loop.call_soon_threadsafe(_set_result, future, result)


def _set_result(future: asyncio.Future[Result], result: Result) -> None:
    if not future.done():
        future.set_result(result)


def _set_exception(future: asyncio.Future[Result], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)


async def _lost_within(lease: Lease, timeout: float) -> bool:
    try:
        async with asyncio.timeout(timeout):
            await lease.lost.wait()
    except TimeoutError:
        return lease.lost.is_set()
    return True


def connect(url: str | None = None, **settings: Any) -> BlockingLocks:
    """See `bidlock.connect`; enter the result with `with`.

    Raises:
        ConfigurationError: something given cannot work; raised at once, not at `with`.
    """
    made = connecting.connect(url, **settings)
    return BlockingLocks(lambda: made)
