"""From SQLite to Redis and back while the fleet bids: what to do next, decided purely from what is seen."""

from bidlock.migration.deciding import decide
from bidlock.migration.register import BucketRegister, Register
from bidlock.migration.sight import Bucket, Fleet, Origin, Quarantine, Sight
from bidlock.migration.wishes import Wish

__all__ = ["Bucket", "BucketRegister", "Fleet", "Origin", "Quarantine", "Register", "Sight", "Wish", "decide"]
