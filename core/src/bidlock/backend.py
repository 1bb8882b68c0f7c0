"""The port that a backend fills: single attempts that never retry, idempotent per nonce.

A store answers with a value. That it could not be reached, or may have acted without our knowing, is an exception
(`BackendUnavailable`: it did not happen; `BackendAmbiguous`: it may have). The two are never turned into "held".
Retries, waiting, renewal and queues live in core.

Every answer but `release` starts with the guard: the store's *meta* must be there, belong to this client's owner,
have the layout this client knows, be of this very server process, and admit the attempt's mode.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from bidlock.addresses import Address
    from bidlock.postings import Posting

FORMAT = 1
"""Version of the layout of keys, rows and markers; stores of another version answer FORMAT."""

SELF = "self"
"""Owner of a store that belongs to its clients alone, without an operator or `bidlock migrate`."""


class Verdict(enum.StrEnum):
    """What a store can answer."""

    OK = "OK"
    HELD = "HELD"
    """Another attempt holds the lease."""
    DONE = "DONE"
    """The posting has a marker of another attempt."""
    LOST = "LOST"
    """The lease is no longer this attempt's."""
    CLOSED = "CLOSED"
    """The store is not initialised, or restarted and not opened again."""
    MODE = "MODE"
    """The store does not admit this mode now."""
    DOMAIN = "DOMAIN"
    """The client has another origin file open than the one this store knows."""
    OWNER = "OWNER"
    """The store belongs to another policy, or to none."""
    FORMAT = "FORMAT"
    """The store's layout, number of buckets or hash differs from the client's."""
    WATERMARK = "WATERMARK"
    """The posting is not provably newer than an accepted loss or the retired markers."""
    BUSY = "BUSY"
    """The store is locked by a stranger for longer than we wait."""
    TTL = "TTL"
    """The TTL asked for is above the store's `ttl_max`."""


class Ticket(NamedTuple):
    """Who asks, for what, for how long: made once per attempt, before anything is sent.

    Attributes:
        posting: What the attempt is about.
        nonce: 32 hex digits, fresh for every attempt; makes each primitive idempotent.
        mode: The attempt's mode, fixed at its first acquire.
        holder: Who asks, for humans: `host:pid` or a pod's name; no `|`, at most 128 characters.
        ttl_ms: How long the lease lives from each acquire or renew, milliseconds.
        posted_at_ms: The marketplace's own creation stamp, Unix milliseconds; 0 when there is none.
        domain: Identity of the origin file the client has open; empty when the mode has none.
    """

    posting: Posting
    nonce: str
    mode: str
    holder: str
    ttl_ms: int
    posted_at_ms: int = 0
    domain: str = ""


class Answer(NamedTuple):
    """What a store answered.

    Attributes:
        verdict: The answer itself.
        token: Fencing token (with OK to acquire and confirm), else 0.
        remaining_ms: With HELD, milliseconds until the lease in the way expires; -1 when unknown.
    """

    verdict: Verdict
    token: int = 0
    remaining_ms: int = -1

    @property
    def ok(self) -> bool:
        """Whether the store agreed."""
        return self.verdict is Verdict.OK


class MarkerState(enum.StrEnum):
    """What became of a claimed posting."""

    CLAIMED = "claimed"
    PLACED = "placed"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    PRESUMED = "presumed"
    """An original bot locked the posting and may have bid."""


class LeaseRecord(NamedTuple):
    """A live lease, as a store knows it.

    Attributes:
        nonce: The attempt's; empty for a lease of an original bot.
        token: Fencing token; 0 for a lease of an original bot.
        holder: For humans.
        since_ms: When it was acquired, Unix milliseconds on the store's clock; 0 when unknown.
        remaining_ms: Milliseconds until it expires.
    """

    nonce: str
    token: int
    holder: str
    since_ms: int
    remaining_ms: int


class MarkerRecord(NamedTuple):
    """A marker: this posting was claimed, once and for all.

    Attributes:
        nonce: The attempt that claimed it.
        token: Its fencing token.
        state: What became of it.
        posted_at_ms: The posting's creation stamp, Unix milliseconds; 0 when there was none.
    """

    nonce: str
    token: int
    state: MarkerState
    posted_at_ms: int


class Inspection(NamedTuple):
    """What one store knows about one posting."""

    lease: LeaseRecord | None
    marker: MarkerRecord | None


@dataclass(frozen=True, slots=True)
class Observed:
    """What a store says about itself; read without changing it.

    Attributes:
        initialised: Whether there is a meta.
        live: Whether the meta belongs to this very incarnation (server process, file) of the store.
        owner: A policy's or register's id, `self`, or empty without meta.
        format: Version of the layout; 0 without meta.
        buckets: How many buckets the postings are spread over.
        modes: The modes the store admits.
        epoch: Of the last controller write.
        incarnation: How often the store was opened anew; its tokens start at `incarnation << 32`.
        counter: Highest token handed out.
        ttl_max_ms: Longest TTL the store grants, milliseconds.
        margin_ms: Fixed part of the safety margin, milliseconds; 1 % of the TTL comes on top.
        watermark_ms: Postings not newer than this are refused, Unix milliseconds; 0 for none.
        domain: Identity of the file (origin stores); empty elsewhere.
        durable: Whether an acknowledged write survives a crash of the store.
        details: Facts for humans: version, path, persistence …
        warnings: What a human should change, one sentence each.
    """

    initialised: bool
    live: bool
    owner: str = ""
    format: int = 0
    buckets: int = 1
    modes: frozenset[str] = frozenset()
    epoch: int = 0
    incarnation: int = 0
    counter: int = 0
    ttl_max_ms: int = 0
    margin_ms: int = 0
    watermark_ms: int = 0
    domain: str = ""
    durable: bool = False
    details: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SelfMeta:
    """What a client writes into the meta of a `self` store that it is the first to open.

    Attributes:
        mode: The one single-store mode such a store admits.
        ttl_max_ms: Longest TTL, milliseconds.
        margin_ms: Fixed part of the safety margin, milliseconds.
    """

    mode: str
    ttl_max_ms: int
    margin_ms: int


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a backend promises, as data. Declared is not proven: the conformance kit certifies.

    Attributes:
        scope: How far its exclusion reaches.
        time_authority: Whose clock decides about expiry.
        durability: What survives a crash of the store.
        wait: Whether waiters are told (`notify`) or must ask (`poll`).
        single_mode: The single-store mode of a store of this kind; `sqlite` or `only`.
        migratable: Whether the operator and `bidlock migrate` can drive it.
    """

    scope: Literal["process", "host", "cluster"]
    time_authority: Literal["client", "server"]
    durability: Literal["volatile", "fsync", "replicated"]
    wait: Literal["poll", "notify"] = "poll"
    single_mode: str = "only"
    migratable: bool = False


@dataclass(frozen=True, slots=True)
class BackendConfig:
    """What a backend is built from.

    Attributes:
        address: The parsed URL.
        owner: Whose stores this client works in: a policy's id, or `self`.
        prefix: First part of every key, so that several fleets can share a server.
        buckets: How many buckets postings are spread over; must equal the store's.
        timeout: Longest wait for one answer of the store, seconds.
        original_keys: Whether leases are also taken in the original bot's own Redis key `bid_lock:{marketplace}:{id}`,
            so that such a bot and this client exclude each other (in SQLite they always do).
    """

    address: Address
    owner: str = SELF
    prefix: str = "bidlock"
    buckets: int = 1
    timeout: float = 2.0
    original_keys: bool = False


class Wakeups(Protocol):
    """A subscription to one posting's releases."""

    async def wait(self, timeout: float) -> None:
        """Return when the posting may have become free, or after `timeout` seconds; never raise for a lost link."""


@runtime_checkable
class Backend(Protocol):
    """A store of leases and markers. One object serves one event loop; `open` comes first, `close` last.

    Every primitive raises `BackendUnavailable` (it did not happen) or `BackendAmbiguous` (it may have), and may be
    cancelled at any await: what was sent may then still happen, and a later `release` of the ticket undoes it.
    """

    async def open(self) -> None:
        """Reach the store and refuse one that cannot be trusted.

        Raises:
            ConfigurationError: wrong password, version, eviction policy, file system …, with the remedy.
            BackendUnavailable: not reached; the caller may go on and let each primitive try again.
        """

    async def close(self) -> None:
        """Give up connections, threads and files. Idempotent. Leases stay until they expire."""

    async def observe(self) -> Observed:
        """Read the store's meta (bucket 0 stands for all) and what a human would want to know."""

    async def open_self(self, meta: SelfMeta) -> bool:
        """Open a `self` store: initialise an empty one, or admit the new incarnation of one that restarted.

        Conditional and idempotent: a store of another owner, or one without meta that holds keys of the prefix, is
        left as it is.

        Returns:
            Whether the store is now open for `self` clients (also when it was before).
        """

    async def acquire(self, ticket: Ticket, *, floor: int = 0, passed_from: str = "") -> Answer:
        """Lease the posting for `ticket.ttl_ms`.

        An attempt that already holds it gets a full TTL again. With `passed_from`, the nonce of a lease whose holder
        stopped believing in it, that lease counts as free; the token is a new one all the same.

        Args:
            ticket: The attempt.
            floor: The token is never below it.
            passed_from: Nonce of the lease that is passed on inside a process; empty for none.
        """

    async def confirm(self, ticket: Ticket, token: int) -> Answer:
        """Whether the lease is still this attempt's; raises the store's counter to `token`."""

    async def renew(self, ticket: Ticket) -> Answer:
        """Set the lease's TTL anew, if it is still this attempt's."""

    async def claim(self, ticket: Ticket, token: int) -> Answer:
        """Write the posting's marker, which never expires, if it has none and the lease is this attempt's."""

    async def record(self, ticket: Ticket, state: MarkerState) -> Answer:
        """Write what became of the bid into this attempt's own marker; LOST when the marker is not its own."""

    async def mark(self, ticket: Ticket, token: int, state: MarkerState = MarkerState.CLAIMED) -> Answer:
        """Insert a marker if there is none, without asking for a lease; DONE when another attempt's stands there.

        After the bid, in a store that the mode does not require; or `presumed`, for a lock taken by original code.
        """

    async def release(self, ticket: Ticket) -> Answer:
        """Delete the lease if it is this attempt's; tell waiters. No guard: it only ever deletes its own."""

    async def inspect(self, posting: Posting) -> Inspection:
        """Read the lease and the marker of a posting."""

    async def break_(self, posting: Posting, *, by: str, reason: str) -> LeaseRecord | None:
        """Delete whatever lease is there, raise the counter, and write who did it and why into the store's audit.

        Returns:
            The lease that was broken, or None when there was none.
        """

    def wakeups(self, posting: Posting) -> AbstractAsyncContextManager[Wakeups]:
        """Subscribe to the posting's releases. Subscribed when entered; a poll-only backend just sleeps."""
