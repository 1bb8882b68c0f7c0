"""A trace as a story: one line per step, who does what to which store, and what is believed afterwards."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from migration_model.search import Result
from migration_model.world import FREE, MINE, NONE, ORPHAN, Attempt, Bucket, File, World

from bidlock.migration import actions
from bidlock.migration.actions import RegisterWrite
from bidlock.modes import Role

STORES = {Role.ORIGIN: "SQLite", Role.TARGET: "Redis"}


def story(result: Result) -> str:
    """The whole trace."""
    lines = [f"{result.scenario.name}: {result.broken or 'nothing'} breaks in {len(result.trace)} steps"]
    before = result.scenario.initial()
    for number, (label, world) in enumerate(result.trace, 1):
        lines.append(f"{number:3} {told(label):<66}{'; '.join(changes(before, world))}".rstrip())
        before = world
    return "\n".join(lines)


def told(label: tuple[object, ...]) -> str:
    """One step, in words."""
    who, *rest = label
    if rest and isinstance(rest[0], int) and len(rest) > 1:
        return f"attempt {rest[0] + 1} ({', '.join(map(str, rest[1:]))}) {who}"
    if rest and dataclasses.is_dataclass(rest[0]):
        return f"{who}: {done_by(rest[0])}"
    return " ".join(map(str, (who, *rest)))


def done_by(action: object) -> str:
    """An action: its name, where it is written, and what it says."""
    fields = {field.name: getattr(action, field.name) for field in dataclasses.fields(action)}  # type: ignore[arg-type]  # it is a dataclass
    bucket = fields.pop("bucket", 0)
    role = fields.pop("role", None)
    where = "the register" if isinstance(action, RegisterWrite) else "the fleet" if isinstance(action, actions.Roll) else "Redis"
    where = STORES[role] if role and not isinstance(action, RegisterWrite) else where
    if isinstance(action, actions.Copy):
        where = "Redis" if action.source is Role.ORIGIN else "SQLite"
    said = " ".join(_value(value) for value in (role if isinstance(action, RegisterWrite) else None, *fields.values()) if value is not None)
    return f"{type(action).__name__.upper()} {said}".rstrip() + f" → {where}" + (f" (bucket {bucket})" if bucket else "")


def _value(value: object) -> str:
    if isinstance(value, Role):
        return STORES[value]
    if isinstance(value, frozenset):
        return "{" + ",".join(sorted(map(str, value))) + "}"
    return str(value) or "-"


def changes(before: World, after: World) -> Iterator[str]:
    """What differs: beliefs first, then the stores."""
    for slot, (old, new) in enumerate(zip(before.attempts, after.attempts, strict=True)):
        if new and (old is None or (old.origin, old.target, old.token) != (new.origin, new.target, new.token)):
            yield f"attempt {slot + 1} {_belief(new)}"
    for old_file, new_file in zip(before.files, after.files, strict=True):
        if old_file != new_file:
            yield f"SQLite: {_store(new_file)}"
    for number, (old_bucket, new_bucket) in enumerate(zip(before.buckets, after.buckets, strict=True)):
        if old_bucket != new_bucket:
            yield f"Redis{number or ''}: {_store(new_bucket)}"
    if after.past.bids != before.past.bids:
        yield f"bids: {after.past.bids}"


def _belief(attempt: Attempt) -> str:
    held = [name for name, worth in (("SQLite", attempt.origin), ("Redis", attempt.target)) if worth]
    token = f", token {attempt.token}" if attempt.token else ""
    return f"believes in {' and '.join(held) or 'no lease'}{token}"


def _store(store: File | Bucket) -> str:
    if not store.initialised:
        return "empty"
    parts = ["admits " + (",".join(sorted(store.modes)) or "nothing")]
    if isinstance(store, Bucket) and not store.running:
        parts = ["closed"]
    if store.holder != FREE:
        parts.append("leased to " + ("nobody alive" if store.holder == ORPHAN else str(store.holder + 1)))
    if store.marker != NONE:
        parts.append("claimed by " + (str(store.marker - MINE + 1) if store.marker >= MINE else "an earlier attempt"))
    if isinstance(store, Bucket) and store.sealed:
        parts.append(f"sealed {store.sealed}")
    return " ".join(parts)
