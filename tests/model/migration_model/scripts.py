"""The bidders' steps in a store, each one script or transaction: from a store to an answer and the store afterwards."""

from __future__ import annotations

from typing import NamedTuple

from migration_model.rules import Rules
from migration_model.world import FREE, MINE, NONE, Bucket, File

OK, HELD, DONE, MODE, CLOSED, DOMAIN, LOST, WATERMARK = "OK", "HELD", "DONE", "MODE", "CLOSED", "DOMAIN", "LOST", "WATERMARK"

LEGACY = "legacy"


class Asker(NamedTuple):
    """Who asks, and how.

    Attributes:
        slot: Its slot; stands for its nonce.
        mode: The mode it works in.
        domain: The file its process has open.
        heir: Whether a row that names its slot was left to it by its predecessor.
    """

    slot: int
    mode: str
    domain: str = ""
    heir: str = ""


def guard_bucket(bucket: Bucket, asker: Asker, rules: Rules) -> str:
    """The first lines of every script: wiped, restarted, mode not admitted, another file."""
    if not bucket.initialised and rules.guard_checks_meta:
        return CLOSED
    if not bucket.running and bucket.initialised and rules.guard_checks_run:
        return CLOSED
    if bucket.initialised and bucket.running and asker.mode not in bucket.modes and rules.guard_checks_mode:
        return MODE
    if asker.mode == "strict" and asker.domain and asker.domain != bucket.domain and rules.guard_checks_domain:
        return DOMAIN
    return OK


def guard_file(file: File, asker: Asker, rules: Rules) -> str:
    """The same for SQLite."""
    if not file.initialised:
        return CLOSED
    return OK if asker.mode in file.modes or not rules.guard_checks_mode else MODE


def refuse(store: File | Bucket, asker: Asker, posted: int, rules: Rules) -> str:
    """Whether an acquire that passed the guard is refused all the same."""
    if store.watermark and posted <= store.watermark and rules.watermark_refuses:
        return WATERMARK
    if store.marker != NONE and rules.refuse_marked:
        return DONE
    free = store.holder == FREE or (bool(asker.heir) and store.holder == asker.slot)
    return OK if free or not rules.refuse_held else HELD


def acquire_bucket(bucket: Bucket, asker: Asker, posted: int, rules: Rules, *, count: bool) -> tuple[str, Bucket]:
    """Take the lease in Redis and draw a token there (`count`: tokens are followed in this run)."""
    guarded = rules.heir_asks_guard or not asker.heir
    answer = guard_bucket(bucket, asker, rules) if guarded else OK
    if answer == OK:
        answer = refuse(bucket, asker, posted, rules)
    if answer != OK:
        return answer, bucket
    drawn = bucket.counter
    if count and (asker.heir != "across" or bucket.holder != asker.slot) and (rules.heir_gets_new_token or not asker.heir):
        drawn += 1
    return OK, bucket._replace(holder=asker.slot, counter=drawn)


def acquire_file(file: File, asker: Asker, posted: int, floor: int, rules: Rules, *, count: bool) -> tuple[str, File]:
    """Take the lease in SQLite; its token is above every one of its own and not below what Redis gave."""
    guarded = rules.heir_asks_guard or not asker.heir
    answer = guard_file(file, asker, rules) if guarded else OK
    if answer == OK:
        answer = refuse(file, asker, posted, rules)
    if answer != OK:
        return answer, file
    drawn = max(file.counter + 1, floor if rules.floor else 0) if count else 0
    if asker.heir and not rules.heir_gets_new_token:
        drawn = file.counter
    return OK, file._replace(holder=asker.slot, counter=drawn)


def confirm_bucket(bucket: Bucket, asker: Asker, token: int, rules: Rules) -> tuple[str, Bucket]:
    """Is the lease still its own? Then Redis' counter rises to the token that SQLite gave."""
    answer = guard_bucket(bucket, asker, rules)
    if answer == OK and bucket.holder != asker.slot and rules.confirm_asks:
        answer = LOST
    if answer != OK:
        return answer, bucket
    return OK, bucket._replace(counter=max(bucket.counter, token) if rules.confirm_raises_counter else bucket.counter)


def claim_bucket(bucket: Bucket, asker: Asker, rules: Rules, *, count: bool) -> tuple[str, Bucket]:
    """Write the marker in Redis if there is none and the lease is still its own."""
    answer = guard_bucket(bucket, asker, rules)
    if answer == MODE and not rules.claim_checks_mode:
        answer = OK
    answer = _claimable(bucket, asker, rules) if answer == OK else answer
    if answer != OK:
        return answer, bucket
    counter = bucket.counter + (count and rules.claim_counts and bucket.marker == NONE)
    return OK, bucket._replace(marker=MINE + asker.slot, counter=counter)


def claim_file(file: File, asker: Asker, rules: Rules, *, count: bool) -> tuple[str, File]:
    """The same in SQLite."""
    answer = guard_file(file, asker, rules)
    if answer == MODE and not rules.claim_checks_mode:
        answer = OK
    answer = _claimable(file, asker, rules) if answer == OK else answer
    if answer != OK:
        return answer, file
    return OK, file._replace(marker=MINE + asker.slot, counter=file.counter + (count and file.marker == NONE))


def _claimable(store: File | Bucket, asker: Asker, rules: Rules) -> str:
    if store.marker == MINE + asker.slot:
        return OK
    if store.marker != NONE and rules.claim_checks_marker:
        return DONE
    return OK if store.holder == asker.slot or not rules.claim_checks_lease else LOST


def bot_acquire(file: File, slot: int, rules: Rules, *, fenced: bool) -> tuple[str, File]:
    """An original bot inserts its row; the trigger fence, where installed, aborts it or leaves a marker behind."""
    if file.holder != FREE:
        return HELD, file
    if not fenced:
        return OK, file._replace(holder=slot)
    if LEGACY not in file.modes and rules.bots_obey_windows:
        return MODE, file
    if file.marker != NONE and rules.bots_obey_markers:
        return DONE, file
    left = MINE + slot if rules.bots_leave_markers else file.marker
    return OK, file._replace(holder=slot, marker=left)
