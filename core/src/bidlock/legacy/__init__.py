"""Drop-in for the original bot's lock managers: same names, same behaviour, over any backend.

from bidlock.legacy import BidLockManager        # or RedisBidLockManager
"""

from bidlock.legacy.managers import BidLockManager, RedisBidLockManager

__all__ = ["BidLockManager", "RedisBidLockManager"]
