"""Carries out what was decided: one write on the register, on one store, or on the fleet."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from bidlock.migration import actions
from bidlock.migration.port import Constitution, OriginStore, Outcome, TargetStore
from bidlock.migration.register import BucketRegister, Register, first_epoch
from bidlock.migration.sight import ORIGIN_ONLY, TARGET_ONLY, Sight
from bidlock.modes import Role


@dataclass(frozen=True, slots=True)
class Terms:
    """What does not change from step to step.

    Attributes:
        owner: The policy's or register's id.
        ttl_max_ms: Longest TTL of a bidder, milliseconds.
        margin_ms: Fixed part of the safety margin, milliseconds.
        original_bots: Whether original bots may go on beside the new ones.
        adoption_skew_ms: See `Constitution`.
    """

    owner: str
    ttl_max_ms: int
    margin_ms: int
    original_bots: bool = False
    adoption_skew_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Stores:
    """The two stores of a migration."""

    origin: OriginStore
    target: TargetStore

    def __getitem__(self, role: Role) -> OriginStore | TargetStore:
        return self.origin if role is Role.ORIGIN else self.target


def rewritten(action: actions.RegisterWrite, register: Register) -> Register:
    """The register after a register action.

    Raises:
        TypeError: the action writes something else, or there must be no register for it.
    """
    match action:
        case actions.Begin(source, to):
            return replace(register, source=source, to=to, epoch=register.epoch + 1)
        case actions.Settle():
            return replace(register, source=register.to)
        case actions.Authorise(role):
            return replace(register, authority=role, recovering=False)
        case actions.Incarnate():
            return _incarnated(action, register)
        case actions.Sealing(bucket):
            return register.with_bucket(bucket, seal=secrets.token_hex(16))
        case actions.Resume(bucket):
            return register.with_bucket(bucket, seal="")
        case actions.AdoptDomain(domain):
            return replace(register, domain=domain)
        case actions.Recognise(bucket, incarnation):
            return register.with_bucket(bucket, incarnation=incarnation)
        case actions.NewGeneration(generation):
            return replace(register, epoch=first_epoch(generation))
    raise TypeError(f"{action!r} does not write a register that exists")


def _incarnated(action: actions.Incarnate, register: Register) -> Register:
    remembered = register.buckets[action.bucket]
    admitted = register.with_bucket(action.bucket, nonce=action.nonce, incarnation=remembered.incarnation + 1)
    return replace(admitted, watermark_ms=max(register.watermark_ms, action.watermark_ms))


def recreated(action: actions.Recreate) -> Register:
    """The register that replaces a lost one."""
    return Register(
        epoch=first_epoch(action.generation),
        source=action.mode,
        to=action.mode,
        authority=action.authority,
        domain=action.domain,
        buckets=tuple(BucketRegister(incarnation=incarnation) for incarnation in action.incarnations),
        watermark_ms=action.watermark_ms,
        recovering=action.recovering,
    )


class Hands:
    """Carries out store actions."""

    def __init__(self, stores: Stores, terms: Terms) -> None:
        self._stores = stores
        self._terms = terms

    async def act(self, action: actions.StoreWrite, sight: Sight) -> Outcome:
        """Do one store action under the register of `sight`; a refusal is a value, and calls for another look.

        Raises:
            BackendError: the store did not answer; the action may have happened, and may be repeated.
        """
        epoch = sight.register.epoch
        match action:
            case actions.Fence(role, bucket):
                return await self._stores[role].fence(ORIGIN_ONLY if role is Role.ORIGIN else TARGET_ONLY, epoch, bucket)
            case actions.Open(role, mode, bucket):
                return await self._stores[role].open_mode(mode, epoch, bucket)
            case actions.Close(role, mode, bucket):
                return await self._stores[role].close_mode(mode, epoch, bucket)
            case actions.RaiseWatermark(role, bucket):
                return await self._stores[role].raise_watermark(sight.register.watermark_ms, epoch, bucket)
            case actions.Copy(source, bucket):
                return await self._copy(source, bucket, sight)
            case actions.Initialise():
                return await self._stores.origin.constitute(self._constitution(sight.register), frozenset())
            case _:
                return await self._act_on_bucket(action, sight)

    async def _act_on_bucket(self, action: actions.StoreWrite, sight: Sight) -> Outcome:
        register, target = sight.register, self._stores.target
        match action:
            case actions.Plant(bucket):
                return await target.plant(bucket)
            case actions.Bless(bucket, nonce, modes, seal, kept):
                incarnation = register.buckets[bucket].incarnation
                return await target.bless(bucket, nonce, self._constitution(register), modes, incarnation=incarnation, seal=seal, kept=kept)
            case actions.Adopt(bucket):
                return await target.adopt(bucket, register.domain, register.epoch)
            case actions.Seal(bucket, nonce):
                return await target.seal(bucket, nonce, register.epoch)
            case actions.Reopen(bucket, nonce, modes):
                return await target.reopen(bucket, nonce, modes, register.epoch)
        raise TypeError(f"{action!r} does not write a store")

    async def _copy(self, source: Role, bucket: int, sight: Sight) -> Outcome:
        """Markers first, then counter and watermark, then the stamp: what is stamped holds everything."""
        giver, taker = self._stores[source], self._stores[Role.TARGET if source is Role.ORIGIN else Role.ORIGIN]
        seen = str(sight.buckets[bucket].incarnation) if source is Role.ORIGIN else sight.origin.domain
        async for rows in giver.copy_out(bucket):
            outcome = await taker.copy_in(rows, bucket, seen)
            if outcome is not Outcome.OK:
                return outcome
        tail = await giver.tail(bucket)
        if not await self._still_the_source(source, bucket, sight):
            return Outcome.CHANGED
        return await taker.stamp(tail, sight.register.epoch, bucket, seen)

    async def _still_the_source(self, source: Role, bucket: int, sight: Sight) -> bool:
        """Whether what was copied is what was seen: a store emptied or exchanged meanwhile would be copied as empty."""
        if source is Role.ORIGIN:
            origin = await self._stores.origin.survey(sight.register.epoch)
            return origin.initialised and origin.domain == sight.origin.domain
        now = replace(sight, buckets=await self._stores.target.survey(sight.register.epoch))
        return now.live(bucket)

    def _constitution(self, register: Register) -> Constitution:
        terms = self._terms
        return Constitution(terms.owner, register.epoch, register.domain, terms.ttl_max_ms, terms.margin_ms, register.watermark_ms)
