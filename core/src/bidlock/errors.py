"""Every exception of bidlock, one tree. Losing a lock is a value (`Skipped`, `None`); what stands here is breaking.

The docstring of a class is its default message, so documentation and message cannot drift apart.
"""

from __future__ import annotations

import inspect


class BidlockError(Exception):
    """Something in bidlock went wrong."""

    def __init__(self, message: str = "", /, **facts: object) -> None:
        self.facts = facts
        super().__init__(message or inspect.getdoc(type(self)) or "")


class NotAcquired(BidlockError):
    """The lock was not acquired: somebody else holds it, or the store refused.

    `reason` is a `bidlock.SkipReason`.
    """

    def __init__(self, message: str = "", /, *, reason: str = "held", **facts: object) -> None:
        self.reason = reason
        super().__init__(message, **facts)


class LeaseLost(BidlockError):
    """The lease was held once and is held no more; stop the work that it protected."""


class InvalidPosting(BidlockError, ValueError):
    """A marketplace or posting id is empty, too long, or no text."""


class BackendError(BidlockError):
    """The store misbehaved."""


class BackendUnavailable(BackendError):
    """The store did not do what was asked, for certain: it was not reached, or it refused."""


class BackendAmbiguous(BackendError):
    """The store may or may not have done what was asked: the answer was lost."""


class ConfigurationError(BidlockError):
    """The configuration cannot work; the message says what to change."""


class UnfitStore(ConfigurationError):
    """The store answers, and cannot be trusted with locks.

    `reason` is one CamelCase word for programs.
    """

    def __init__(self, message: str = "", /, *, reason: str = "", **facts: object) -> None:
        self.reason = reason
        super().__init__(message, **facts)


class UnknownBackend(ConfigurationError):
    """No loaded backend serves this URL."""


class PluginRejected(ConfigurationError):
    """A backend plugin was found and refused."""
