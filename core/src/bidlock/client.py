"""What every call of one client shares: its stores, its mode, its line of callers, its observers."""

from __future__ import annotations

import contextlib
import os
import weakref
from collections.abc import Callable, Mapping

from bidlock.attempts import Attempt
from bidlock.background import Background
from bidlock.clock import Clock
from bidlock.errors import BackendError
from bidlock.events import Event
from bidlock.leases import Lease
from bidlock.modes import Mode, Role
from bidlock.modesources import ModeSource
from bidlock.plugins import Plugins
from bidlock.postings import Posting
from bidlock.settings import Settings
from bidlock.sharing import Lines
from bidlock.stores import Store
from bidlock.timetable import Timetable


class Client:
    """The parts of one `Locks`.

    Attributes:
        stores: The store for each role that the mode names.
        settings: Everything configurable.
        clock: Time.
        background: Work that outlives the call that started it.
        lines: The callers of this process, one line per posting.
        leases: The leases that are held now.
        renewals: When the first renewal of each is due.
    """

    def __init__(self, stores: Mapping[Role, Store], modes: ModeSource, settings: Settings, plugins: Plugins, clock: Clock) -> None:
        self.stores = dict(stores)
        self._modes = modes
        self.settings = settings
        self.clock = clock
        self.background = Background()
        self.lines = Lines(self.release_later)
        self.leases: set[Lease] = set()
        self.renewals = Timetable()
        self._plugins = plugins
        _CLIENTS.add(self)

    @property
    def mode(self) -> Mode:
        """Which stores decide the next attempt. Read it once per attempt: it may change between two."""
        return self._modes.current()

    @property
    def deciding(self) -> Store:
        """The store whose token counts."""
        return self.stores[self.mode.required[-1]]

    def lacks(self, mode: Mode) -> Role | None:
        """A store that the mode names and this client is not configured for, if there is one."""
        for role in mode.roles + mode.marks:
            if role not in self.stores:
                return role
        return None

    def knows(self, mode: Mode) -> bool:
        """Whether the mode's stores have said what they are."""
        for role in mode.required:  # noqa: SIM110 # once per attempt: a generator costs more than what it looks at
            if not self.stores[role].learned:
                return False
        return True

    async def learn(self, mode: Mode, ttl_ms: int) -> None:
        """Learn what the mode's stores say about time and identity, unless that is known; one out of reach stays unknown.

        Raises:
            ConfigurationError: the TTL does not fit what was learned.
        """
        for role in mode.required:
            if not self.stores[role].learned:
                with contextlib.suppress(BackendError):
                    await self.stores[role].ensure_learned(ttl_ms)

    def forget_domain(self) -> None:
        """Learn the origin's identity anew before the next attempt: a store knows another file than this client."""
        if Role.ORIGIN in self.stores:
            self.stores[Role.ORIGIN].learned = False

    @property
    def domain(self) -> str:
        """Identity of the origin file this client has open; empty when it has none."""
        return self.stores[Role.ORIGIN].domain if Role.ORIGIN in self.stores else ""

    @property
    def observed(self) -> bool:
        """Whether anybody observes; events cost something."""
        return self._plugins.observed

    def publish(self, kind: Callable[..., Event], what: Posting, mode: str = "", **facts: object) -> None:
        """Tell the observers, if there are any; `mode` is the attempt's, where there is one."""
        if self.observed:
            self._plugins.publish(
                kind(marketplace=what.marketplace, posting_id=what.id, mode=mode or self.mode.name, holder=self.settings.holder, **facts)
            )

    def release_later(self, attempt: Attempt) -> None:
        """Release what an attempt may hold, in the background, as often as it takes."""
        self.background.spawn(attempt.insist_on_release())

    def forked(self) -> None:
        """In a forked child: what the parent holds is the parent's. Leases are lost here, callers in line are not ours."""
        for lease in self.leases:
            lease.lost.set()
        self.lines.clear()
        self.renewals.clear()
        self.background.forget()


_CLIENTS: weakref.WeakSet[Client] = weakref.WeakSet()


def _after_fork() -> None:
    for client in list(_CLIENTS):
        client.forked()


os.register_at_fork(after_in_child=_after_fork)
