"""The register of a migration as a policy's status keeps it: nothing is lost on the way there and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bidlock.migration.register import BucketRegister, Register
from bidlock.modes import Role

_STORES = {Role.ORIGIN: "SQLite", Role.TARGET: "Redis"}
_ROLES = {store: role for role, store in _STORES.items()}

FIELDS = ("epoch", "from", "to", "authority", "recovering", "sqliteDomain", "watermark", "buckets")
"""The fields of a status that are the register; the others only tell about it."""


def store_of(role: Role) -> str:
    """What users call the store that plays a part."""
    return _STORES[role]


def read(status: Mapping[str, Any]) -> Register | None:
    """The register in a status; None when there is none yet: then it is founded, or rebuilt from what the stores show.

    Raises:
        KeyError: a part of it is missing, which the API server never admits.
    """
    if "epoch" not in status:
        return None
    return Register(
        epoch=int(status["epoch"]),
        source=str(status["from"]),
        to=str(status["to"]),
        authority=_ROLES[status["authority"]],
        domain=str(status["sqliteDomain"]),
        buckets=tuple(_bucket(raw) for raw in sorted(status["buckets"], key=lambda raw: int(raw["bucket"]))),
        watermark_ms=int(status.get("watermark", 0)),
        recovering=bool(status.get("recovering", False)),
    )


def write(register: Register) -> dict[str, Any]:
    """The status fields of a register; they belong into a status together with all others the operator applies."""
    return {
        "epoch": register.epoch,
        "from": register.source,
        "to": register.to,
        "authority": _STORES[register.authority],
        "recovering": register.recovering,
        "sqliteDomain": register.domain,
        "watermark": register.watermark_ms,
        "buckets": [_written(number, bucket) for number, bucket in enumerate(register.buckets)],
    }


def _bucket(raw: Mapping[str, Any]) -> BucketRegister:
    return BucketRegister(
        nonce=str(raw["nonce"]),
        incarnation=int(raw["incarnation"]),
        counter=int(raw.get("ctr", 0)),
        seal=str(raw.get("seal", "")),
        doubted=bool(raw.get("doubted", False)),
    )


def _written(number: int, bucket: BucketRegister) -> dict[str, Any]:
    return {
        "bucket": number,
        "nonce": bucket.nonce,
        "incarnation": bucket.incarnation,
        "ctr": bucket.counter,
        "seal": bucket.seal,
        "doubted": bucket.doubted,
    }
