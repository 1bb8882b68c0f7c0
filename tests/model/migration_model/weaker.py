"""Weaker versions of the project's own rules, put in their place while a mutant runs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from bidlock.migration import acting, actions, deciding, rebuilding
from bidlock.migration.actions import Action
from bidlock.migration.deciding import Rule
from bidlock.migration.sight import Bucket, Origin, Sight
from bidlock.migration.wishes import Wish
from bidlock.modes import MODES, Role

Patch = tuple[Any, str, Any]
"""An object, the name of its attribute or key, and what is put there."""


@contextlib.contextmanager
def patched(patches: tuple[Patch, ...]) -> Iterator[None]:
    """Put the weaker rules in place, and the real ones back afterwards."""
    before = [(owner, name, owner[name] if isinstance(owner, dict) else getattr(owner, name)) for owner, name, _ in patches]
    try:
        _put(patches)
        yield
    finally:
        _put(tuple(before))


def _put(patches: tuple[Patch, ...]) -> None:
    for owner, name, value in patches:
        if isinstance(owner, dict):
            owner[name] = value
        else:
            setattr(owner, name, value)


def without(*rules: Rule) -> Patch:
    """`decide` never asks these rules."""
    return deciding, "RULES", tuple(rule for rule in deciding.RULES if rule not in rules)


def instead(rule: Rule, weaker: Rule) -> Patch:
    """`decide` asks another rule in this one's place."""
    return deciding, "RULES", tuple(weaker if kept is rule else kept for kept in deciding.RULES)


def flip(*rules: Rule) -> Patch:
    """The authority changes hands by these rules."""
    return deciding, "FLIP", rules


def flip_without(*rules: Rule) -> Patch:
    """The authority changes hands without these."""
    return flip(*(rule for rule in deciding.FLIP if rule not in rules))


def flip_instead(rule: Rule, weaker: Rule) -> Patch:
    """The authority changes hands by another rule in this one's place."""
    return flip(*(weaker if kept is rule else kept for kept in deciding.FLIP))


def mode(name: str, **changes: object) -> Patch:
    """A row of the mode table is another one."""
    return MODES, name, replace(MODES[name], **changes)  # type: ignore[arg-type]  # names are checked by replace itself


def only_from(role: Role) -> Rule:
    """COPY in one direction only."""
    return lambda sight, wish: deciding.copy(sight, wish) if sight.register.authority is role else None


def on_last_bucket(rule: Rule) -> Rule:
    """A rule that only looks at the last bucket; what it decides it decides for that one."""

    def weaker(sight: Sight, wish: Wish) -> Action | None:
        last = len(sight.buckets) - 1
        buckets = tuple(sight.buckets[last] for _ in sight.buckets)
        action = rule(replace(sight, buckets=buckets, origin=replace(sight.origin, synced=_as_last(sight, last))), wish)
        return replace(action, bucket=last) if isinstance(action, actions.Fence | actions.Copy | actions.Close) else action

    return weaker


def _as_last(sight: Sight, last: int) -> frozenset[int]:
    return frozenset(range(last + 1)) if last in sight.origin.synced else frozenset()


def unsynced_backwards(sight: Sight) -> Iterator[int]:
    """The posting's bucket is copied last."""
    yield from reversed(list(_REAL_UNSYNCED(sight)))


def fence_if_open(sight: Sight, wish: Wish) -> Action | None:
    """FENCE only where something is open: it does not lock out an older controller."""
    if sight.register.authority is Role.ORIGIN:
        return deciding.fence(sight, wish) if sight.origin.modes & deciding.ORIGIN_ONLY else None
    return deciding.fence(sight, wish) if any(bucket.modes & deciding.TARGET_ONLY for bucket in sight.buckets) else None


def drain_without_whole(sight: Sight, wish: Wish) -> Action | None:
    """Leases that a restart lost are not waited for."""
    return deciding.drain(replace(sight, buckets=tuple(replace(bucket, whole=True) for bucket in sight.buckets)), wish)


def bots_let_in_anywhere(sight: Sight, wish: Wish) -> Action | None:
    """Original bots are let in whoever has the authority."""
    let_in = wish.original_bots and deciding.LEGACY not in sight.origin.modes and sight.origin.reachable
    return actions.Open(Role.ORIGIN, deciding.LEGACY) if let_in else deciding.admit_original_bots(sight, wish)


def bots_let_in_during_a_flip(sight: Sight, wish: Wish) -> Action | None:
    """Original bots are let in while SQLite has the authority, also when it is about to give it up."""
    here = sight.register.authority is Role.ORIGIN
    return bots_let_in_anywhere(sight, wish) if here else deciding.admit_original_bots(sight, wish)


def open_first() -> Patch:
    """OPEN before the authority has changed hands."""
    rules = [rule for rule in deciding.RULES if rule is not deciding.open_door]
    rules.insert(rules.index(deciding.flip_authority), deciding.open_door)
    return deciding, "RULES", tuple(rules)


def roll_first() -> Patch:
    """The fleet is rolled before the door is open."""
    rules = [rule for rule in deciding.RULES if rule is not deciding.roll]
    rules.insert(rules.index(deciding.open_door), deciding.roll)
    return deciding, "RULES", tuple(rules)


def roll_unwatched(sight: Sight, wish: Wish) -> Action | None:
    """Nobody waits for the bidders that are still listed."""
    return deciding.roll_template(sight)


def begin_at_once(sight: Sight, wish: Wish) -> Action | None:
    """One step right to the mode that is wanted."""
    action = deciding.rest_or_begin(sight, wish)
    return actions.Begin(action.source, wish.mode) if isinstance(action, actions.Begin) else action


def begin_while_recovering(sight: Sight, wish: Wish) -> Action | None:
    """A register whose authority is not known for certain begins a step."""
    return deciding.rest_or_begin(replace(sight, register=replace(sight.register, recovering=False)), wish)


def authority_while_recovering(sight: Sight) -> Role:
    """The direction of the flip does not ask whether the authority is known."""
    return _REAL_AUTHORITY(replace(sight, register=replace(sight.register, recovering=False)))


def kept_by_any_seal(self: Sight, number: int) -> bool:
    """A seal is a flag, not a name."""
    return not self.gone(number) and (self.buckets[number].durable or bool(self.buckets[number].sealed))


def kept_unless_gone(self: Sight, number: int) -> bool:
    """What came back is taken for everything."""
    return not self.gone(number)


def windows_of_both(self: Sight) -> frozenset[str]:
    """Whoever opens a bucket does not ask who has the authority."""
    return frozenset(name for name in (self.register.source, self.register.to) if Role.TARGET in MODES[name].roles)


def admit_with(**weaker: bool) -> Callable[..., Action]:
    """INCARNATE and BLESS with one of their parts left out: `recorded`, `closed_under_seal` or `marked`."""
    real = deciding.admit

    def admit(sight: Sight, wish: Wish, number: int, quarantine: Any) -> Action:
        if not weaker.get("recorded", True):
            known = sight.register.with_bucket(number, nonce=quarantine.nonce)
            return real(replace(sight, register=known), wish, number, quarantine)
        action = real(sight, wish, number, quarantine)
        if isinstance(action, actions.Bless) and not weaker.get("closed_under_seal", True):
            return replace(action, modes=sight.windows())
        if isinstance(action, actions.Incarnate) and not weaker.get("marked", True):
            return replace(action, watermark_ms=0)
        return action

    return admit


def reopen_first(sight: Sight, number: int, wanted: bool) -> Action | None:
    """REOPEN while the register still holds the seal."""
    bucket, seal = sight.buckets[number], sight.register.buckets[number].seal
    if sight.live(number) and seal and not wanted:
        return actions.Reopen(number, seal, sight.windows()) if bucket.sealed == seal else actions.Resume(number)
    return _REAL_KEEP_SEAL(sight, number, wanted)


_REAL_AUTHORITY = deciding.authority_of
_REAL_UNSYNCED = deciding.unsynced
_REAL_KEEP_SEAL = deciding.keep_seal
_REAL_REBUILD = rebuilding.rebuild
_REAL_RECREATE = rebuilding._recreate


def rebuilt_as(authority: Role) -> Patch:
    """Where the windows do not tell, the authority is guessed."""

    def rebuild(origin: Origin, buckets: tuple[Bucket, ...]) -> Action:
        action = _REAL_REBUILD(origin, buckets)
        if isinstance(action, actions.Recreate) and action.recovering:
            return replace(action, authority=authority, recovering=False)
        return action

    return rebuilding, "rebuild", rebuild


def rebuilt_without_redis(origin: Origin, buckets: tuple[Bucket, ...]) -> Action:
    """Redis shows nothing: the fleet goes on with SQLite."""
    action = _REAL_REBUILD(origin, buckets)
    if isinstance(action, actions.Halt) and origin.initialised:
        return _REAL_RECREATE(origin, buckets, "dual", Role.ORIGIN)
    return action


def rebuilt_from_anything(origin: Origin, buckets: tuple[Bucket, ...]) -> Action:
    """What a restart left is taken for everything, durable or not."""
    return _REAL_REBUILD(origin, tuple(replace(bucket, durable=True) for bucket in buckets))


def recreated_with(**changes: object) -> Patch:
    """The rebuilt register differs from what the stores show."""
    return rebuilding, "_recreate", lambda *args, **named: replace(_REAL_RECREATE(*args, **named), **changes)


def epoch_above(least: int) -> tuple[Patch, ...]:
    """The rebuilt register counts on from the highest epoch seen, plus `least`; no new generation."""

    def recreate(origin: Origin, buckets: tuple[Bucket, ...], *args: Any, **named: Any) -> actions.Recreate:
        seen = max(store.epoch for store in (origin, *buckets))
        return replace(_REAL_RECREATE(origin, buckets, *args, **named), generation=seen + least)

    return (rebuilding, "_recreate", recreate), (acting, "first_epoch", lambda epoch: epoch)
