"""The trigger fence for original bots: built and taken away inside a controller's transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from bidlock.errors import InvalidPosting
from bidlock.migration.port import Constitution, Outcome
from bidlock.migration.sight import LEGACY, ORIGIN_ONLY
from bidlock.postings import posting
from bidlock_sqlite.control import Control, modes_of
from bidlock_sqlite.statements import FENCE

_PREFIX = "bid:lock:"
_EVENTS = {"insert": "INSERT", "update": "UPDATE OF lock_key, holder_id"}


def install(control: Control, epoch: int) -> Outcome:
    """See `SqliteOrigin.install_fence`."""
    resting = bool(control.meta and modes_of(control.meta) & ORIGIN_ONLY)
    outcome = control.open_mode(LEGACY, epoch) if resting else control.close_modes(frozenset({LEGACY}), epoch)
    if outcome is Outcome.OK:
        _build(control)
    return outcome


def constitute(control: Control, constitution: Constitution, modes: frozenset[str]) -> Outcome:
    """See `OriginStore.constitute`. From the moment a controller has a file, original bots are bound, or would go on unbound.

    What they bid on and unlocked before left no trace: in a file that was theirs only newer postings are bid on, unless
    the constitution says otherwise. They themselves may go on with older ones, which nobody else bids on.
    """
    known, adopted = control.meta, _adopted(control, constitution)
    outcome = control.constitute(adopted, modes)
    if outcome is Outcome.OK and not (known and known.owner == constitution.owner):
        _build(control)
        if adopted is not constitution:
            control.cursor.execute(FENCE["adopt"], (adopted.watermark_ms,))
    return outcome


def _adopted(control: Control, constitution: Constitution) -> Constitution:
    """With the watermark of an adoption, if it is one."""
    if not control.originals or constitution.adoption_skew_ms is None:
        return constitution
    return replace(constitution, watermark_ms=max(constitution.watermark_ms, control.now_ms() + constitution.adoption_skew_ms))


def _build(control: Control) -> None:
    for part in ("positions", "fill_positions", "keys", "adoption"):
        control.cursor.execute(FENCE[part])
    _for_each_event(control, "refuse", "presume")
    _presume_present(control)


def remove(control: Control, epoch: int) -> Outcome:
    """See `SqliteOrigin.remove_fence`."""
    outcome = control.close_modes(frozenset({LEGACY}), epoch)
    if outcome is Outcome.OK:
        _for_each_event(control, "remove_before", "remove_after")
    return outcome


def _presume_present(control: Control) -> None:
    """Whoever holds a lock while the fence is built, or let one expire, may have bid, too."""
    for (lock_key,) in control.cursor.execute(FENCE["original_locks"]).fetchall():
        for key in _keys(str(lock_key)):
            control.cursor.execute(FENCE["presume_one"], (key,))


def _keys(lock_key: str) -> Iterator[str]:
    """Every posting that the original bot's key may stand for: any colon may be the one that joins."""
    parts = lock_key.removeprefix(_PREFIX).split(":") if lock_key.startswith(_PREFIX) else []
    for joint in range(1, len(parts)):
        marketplace, name = ":".join(parts[:joint]), ":".join(parts[joint:])
        with suppress(InvalidPosting):  # nobody can bid on it through bidlock
            yield posting(marketplace, name).key


def _for_each_event(control: Control, *parts: str) -> None:
    for name, event in _EVENTS.items():
        for part in parts:
            control.cursor.execute(FENCE[part].replace("{name}", name).replace("{event}", event))
