"""The counters of the original managers."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import structlog

from bidlock.outcomes import SkipReason

COUNTERS = ("lock_attempts", "lock_successes", "lock_conflicts", "lock_timeouts")
"""What both managers count: calls, locks taken, calls that met another holder, calls that ended empty-handed because of one."""

STORE_ERRORS = "redis_errors"
"""What the Redis manager counts beside: calls that the store did not answer."""

log = structlog.wrap_logger(logging.getLogger("bidlock.legacy"), wrapper_class=structlog.stdlib.BoundLogger)


class Metrics:
    """Counters under the original names."""

    def __init__(self, names: Iterable[str]) -> None:
        self._counts = dict.fromkeys(names, 0)

    def count(self, name: str) -> None:
        """One more."""
        self._counts[name] += 1

    def trouble(self) -> None:
        """The store did not answer; counted where the original counts it."""
        if STORE_ERRORS in self._counts:
            self._counts[STORE_ERRORS] += 1

    def refused(self, reason: SkipReason, *, trouble: bool) -> None:
        """A call came back empty-handed; anything but another holder deserves a word in the log."""
        if reason is SkipReason.HELD:
            self.count("lock_timeouts")
            return
        if trouble:
            self.trouble()
        log.warning("lock not taken", reason=reason.value)

    def snapshot(self) -> dict[str, int]:
        """The counters now."""
        return dict(self._counts)
