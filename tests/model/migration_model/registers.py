"""The register as the model keeps it (a tuple) and as the project has it; every write of it is the project's own code."""

from __future__ import annotations

import functools

from migration_model.world import BucketKnown, Known

from bidlock.migration import acting, actions
from bidlock.migration.actions import Recreate, RegisterWrite
from bidlock.migration.register import BucketRegister, Register


@functools.cache
def register_of(known: Known) -> Register:
    """The project's register."""
    return Register(
        epoch=known.epoch,
        source=known.source,
        to=known.to,
        authority=known.authority,
        domain=known.domain,
        buckets=tuple(BucketRegister(*bucket) for bucket in known.buckets),
        watermark_ms=known.watermark,
        recovering=known.recovering,
    )


def known_of(register: Register) -> Known:
    """The model's."""
    buckets = tuple(BucketKnown(b.nonce, b.incarnation, b.counter, b.seal) for b in register.buckets)
    return Known(
        register.epoch,
        register.source,
        register.to,
        register.authority,
        register.domain,
        buckets,
        register.watermark_ms,
        register.recovering,
    )


@functools.cache
def rewritten(known: Known | None, action: RegisterWrite, seal: str) -> Known:
    """The register after a write; a random seal is replaced by `seal`, so that runs can be repeated."""
    if isinstance(action, Recreate):
        return known_of(acting.recreated(action))
    assert known is not None, "only Recreate is decided without a register"
    register = register_of(known)
    if isinstance(action, actions.Sealing):
        return known_of(register.with_bucket(action.bucket, seal=seal))
    return known_of(acting.rewritten(action, register))
