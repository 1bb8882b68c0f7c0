"""The port on Redis and Valkey: each primitive is one script on the bucket of its posting."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import hiredis

from bidlock.backend import (
    Answer,
    BackendConfig,
    Inspection,
    LeaseRecord,
    MarkerState,
    Observed,
    SelfMeta,
    Ticket,
    Verdict,
)
from bidlock.errors import ConfigurationError
from bidlock.postings import Posting
from bidlock_redis import forking, layout, observing, opening, options, scripts
from bidlock_redis.layout import Keys
from bidlock_redis.packing import Words
from bidlock_redis.routing import route
from bidlock_redis.scripts import Script
from bidlock_redis.wakeups import Subscriptions, Waiter

Asked = Coroutine[Any, Any, Answer]
"""A step under way: the methods that return it only write the question down, so that a step is one coroutine, not four."""

_VERDICTS = {verdict.value.encode(): verdict for verdict in Verdict}


class RedisBackend:
    """A client's view of one Redis, Valkey or cluster."""

    def __init__(self, config: BackendConfig, *, may_evict: bool = False) -> None:
        """Nothing is opened yet.

        Args:
            config: Where it is, and how it is laid out.
            may_evict: Whether to talk to a server that evicts keys, too.
        """
        self.config = config
        self.options = replace(options.read(config.address), may_evict=may_evict)
        if config.original_keys and self.options.kind == "cluster":
            raise ConfigurationError(
                "original_keys does not work on a cluster: an original bot's key is on another node than the lease; "
                "use one server while original bots run"
            )
        self.prefix = self.options.prefix or config.prefix
        self.stamp = layout.stamp(config.buckets)
        self.route = route(self.options, config.timeout)
        self._subscriptions: Subscriptions | None = None
        self._keys: dict[int, Keys] = {}
        forking.register(self)

    # -- life

    async def open(self) -> None:
        """See `Backend.open`."""
        await self.route.open()

    async def close(self) -> None:
        """See `Backend.close`."""
        if self._subscriptions is not None:
            await self._subscriptions.close()
            self._subscriptions = None
        await self.route.close()

    def abandon(self) -> None:
        """In a forked child: the parent's connections are not ours; the next operation opens new ones."""
        self.route.abandon()
        if self._subscriptions is not None:
            self._subscriptions.abandon()
            self._subscriptions = None

    async def observe(self) -> Observed:
        """See `Backend.observe`."""
        return await observing.observe(self)

    async def open_self(self, meta: SelfMeta) -> bool:
        """See `Backend.open_self`."""
        return await opening.open_self(self, meta)

    # -- an attempt's steps

    def acquire(self, ticket: Ticket, *, floor: int = 0, passed_from: str = "") -> Asked:
        """See `Backend.acquire`."""
        return self._attempt(scripts.ACQUIRE, ticket, floor, passed_from, ticket.holder, ticket.posted_at_ms)

    def confirm(self, ticket: Ticket, token: int) -> Asked:
        """See `Backend.confirm`."""
        return self._attempt(scripts.CONFIRM, ticket, token)

    def renew(self, ticket: Ticket) -> Asked:
        """See `Backend.renew`."""
        return self._attempt(scripts.RENEW, ticket)

    def claim(self, ticket: Ticket, token: int) -> Asked:
        """See `Backend.claim`."""
        marker = layout.marker(ticket.nonce, token, MarkerState.CLAIMED, ticket.posted_at_ms)
        return self._attempt(scripts.CLAIM, ticket, marker)

    def record(self, ticket: Ticket, state: MarkerState) -> Asked:
        """See `Backend.record`."""
        return self._attempt(scripts.RECORD, ticket, layout.letter(state))

    def mark(self, ticket: Ticket, token: int, state: MarkerState = MarkerState.CLAIMED) -> Asked:
        """See `Backend.mark`."""
        return self._attempt(scripts.MARK, ticket, layout.marker(ticket.nonce, token, state, ticket.posted_at_ms))

    def release(self, ticket: Ticket) -> Asked:
        """See `Backend.release`."""
        posting = ticket.posting
        keys = self._bucket_of(posting)
        touched = (keys.lease(posting), *self._original(posting))
        return self._ask(keys, scripts.RELEASE, (len(touched), *touched, ticket.nonce, keys.channel(posting)))

    # -- a posting

    async def inspect(self, posting: Posting) -> Inspection:
        """See `Backend.inspect`."""
        keys = self._bucket_of(posting)
        touched = (keys.lease(posting), keys.markers(posting), *self._original(posting))
        return layout.read_inspection(await self.run(scripts.INSPECT, keys, touched, (posting.key,)))

    async def break_(self, posting: Posting, *, by: str, reason: str) -> LeaseRecord | None:
        """See `Backend.break_`."""
        keys = self._bucket_of(posting)
        touched = (keys.lease(posting), keys.counter, keys.audit, *self._original(posting))
        return layout.read_inspection(await self.run(scripts.BREAK, keys, touched, (posting.key, by, reason, keys.channel(posting)))).lease

    def wakeups(self, posting: Posting) -> Waiter:
        """See `Backend.wakeups`."""
        if self._subscriptions is None:
            self._subscriptions = Subscriptions(self.route.dialer())
        return Waiter(self._subscriptions, self._bucket_of(posting).channel(posting).encode())

    # -- for this package

    def keys(self, bucket: int) -> Keys:
        """The keys of a bucket."""
        if bucket not in self._keys:
            self._keys[bucket] = Keys(self.prefix, bucket)
        return self._keys[bucket]

    async def run(self, script: Script, keys: Keys, touched: tuple[str, ...], arguments: Words) -> Any:
        """Run a script on a bucket.

        Raises:
            BackendUnavailable: it did not run.
            BackendAmbiguous: it may have run.
        """
        return await self._send(keys, script, (len(touched), *touched, *arguments))

    async def command(self, keys: Keys, *words: str | bytes | int) -> Any:
        """Run a command on the server that has a bucket.

        Raises:
            BackendUnavailable: it did not run.
            BackendAmbiguous: it may have run.
        """
        return await self._send(keys, None, words)

    def _attempt(self, script: Script, ticket: Ticket, *own: str | int) -> Asked:
        posting = ticket.posting
        keys = self._bucket_of(posting)
        original = self._original(posting)
        words = (
            4 + len(original),
            keys.meta,
            keys.counter,
            keys.lease(posting),
            keys.markers(posting),
            *original,
            ticket.nonce,
            ticket.mode,
            ticket.domain,
            ticket.ttl_ms,
            self.config.owner,
            self.stamp,
            posting.key,
            *own,
        )
        return self._ask(keys, script, words)

    async def _ask(self, keys: Keys, script: Script, words: Words) -> Answer:
        reply = await self._send(keys, script, words)
        return Answer(_VERDICTS[reply[0]], reply[1], reply[2])

    async def _send(self, keys: Keys, script: Script | None, words: Words) -> Any:
        try:
            return await self.route.link(keys).submit(script, words)
        except hiredis.ReplyError as error:
            return await self.route.redirected(error, keys, script, words)

    def _bucket_of(self, posting: Posting) -> Keys:
        return self.keys(posting.bucket(self.config.buckets))

    def _original(self, posting: Posting) -> tuple[str, ...]:
        return (layout.original_key(posting),) if self.config.original_keys else ()
