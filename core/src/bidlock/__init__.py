"""Bid on every posting at most once, across a fleet.

async with bidlock.connect("redis://localhost") as locks:
    outcome = await locks.bid_once("upwork", "~01ab…", place, posted_at=job.created)
"""

from bidlock.acquiring import TRANSIENT
from bidlock.connecting import connect
from bidlock.errors import (
    BackendAmbiguous,
    BackendError,
    BackendUnavailable,
    BidlockError,
    ConfigurationError,
    InvalidPosting,
    LeaseLost,
    NotAcquired,
    PluginRejected,
    UnknownBackend,
)
from bidlock.leases import Lease
from bidlock.locks import Locks
from bidlock.outcomes import BidRejected, Placed, Skipped, SkipReason

__version__ = "0.1.0"

__all__ = [
    "TRANSIENT",
    "BackendAmbiguous",
    "BackendError",
    "BackendUnavailable",
    "BidRejected",
    "BidlockError",
    "ConfigurationError",
    "InvalidPosting",
    "Lease",
    "LeaseLost",
    "Locks",
    "NotAcquired",
    "Placed",
    "PluginRejected",
    "SkipReason",
    "Skipped",
    "UnknownBackend",
    "connect",
]
