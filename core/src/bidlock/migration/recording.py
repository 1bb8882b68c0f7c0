"""What a controller writes down of the buckets it sees: how far they counted, and whether they may forget."""

from __future__ import annotations

from bidlock.migration.register import GENERATION_BITS, Register
from bidlock.migration.sight import Sight

RECORD_EVERY = 60.0
"""Seconds between two records of how far the target has counted."""


def record_due(sight: Sight, since_last: float) -> bool:
    """Whether a bucket counts more than was recorded, or is seen in a state in which it may forget.

    At once after it was opened anew, or when it is doubted for the first time; later once a minute.

    Args:
        sight: What is seen now.
        since_last: Seconds since the last record.
    """
    doubts = any(sight.live(n) and not bucket.durable and not sight.register.buckets[n].doubted for n, bucket in enumerate(sight.buckets))
    behind = [n for n, bucket in enumerate(sight.buckets) if sight.live(n) and bucket.counter > sight.register.buckets[n].counter]
    fresh = any(_opened_anew(sight, n) for n in behind)
    return doubts or fresh or (bool(behind) and since_last >= RECORD_EVERY)


def counted(register: Register, sight: Sight) -> Register:
    """The register with what the live buckets show; one that counts less some day is an older copy.

    A doubt ends with the first record after the bucket was opened anew. Not before: how it is opened depends on it.
    """
    for number, bucket in enumerate(sight.buckets):
        if sight.live(number):
            remembered = register.buckets[number]
            doubted = not bucket.durable or (remembered.doubted and not _opened_anew(sight, number))
            register = register.with_bucket(number, counter=max(bucket.counter, remembered.counter), doubted=doubted)
    return register


def _opened_anew(sight: Sight, number: int) -> bool:
    """Whether nothing was recorded since the bucket was opened: that begins a new range of counts."""
    return sight.register.buckets[number].counter < sight.buckets[number].incarnation << GENERATION_BITS
