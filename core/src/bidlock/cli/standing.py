"""Where a fleet stands: its register, and what its stores admit."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from bidlock.migration.planning import NAMES
from bidlock.migration.registerfile import Kept, RegisterFile
from bidlock.migration.sight import Sight

CALLED = {mode: name for name, mode in NAMES.items()}
"""What people call each mode."""


def document(file: RegisterFile, kept: Kept, sight: Sight) -> dict[str, Any]:
    """The whole of it, for programs."""
    register = sight.register
    return {
        "register": str(file.path),
        "owner": kept.owner,
        "from": CALLED[register.source],
        "to": CALLED[register.to],
        "authority": register.authority.value,
        "epoch": register.epoch,
        "watermark_ms": register.watermark_ms,
        "recovering": register.recovering,
        "template": CALLED[kept.template],
        "mode_file": str(file.mode_path),
        "origin": _plain(dataclasses.asdict(sight.origin)),
        "buckets": [_plain(dataclasses.asdict(bucket)) | {"live": sight.live(number)} for number, bucket in enumerate(sight.buckets)],
    }


def described(file: RegisterFile, kept: Kept, sight: Sight) -> list[tuple[str, str]]:
    """What a human wants to know, as names and values."""
    register = sight.register
    live = [sight.live(number) for number in range(len(sight.buckets))]
    return [
        ("register", f"{file.path} (BIDLOCK_POLICY={kept.owner})"),
        ("phase", CALLED[register.to] if register.settled else f"{CALLED[register.source]} -> {CALLED[register.to]}"),
        ("authority", register.authority.value),
        ("bidders work in", f"{CALLED[kept.template]} (BIDLOCK_MODE_FILE={file.mode_path})"),
        ("origin admits", ", ".join(sorted(sight.origin.modes)) or ("nothing" if sight.origin.reachable else "out of reach")),
        ("target admits", ", ".join(sorted(frozenset().union(*(bucket.modes for bucket in sight.buckets)))) or "nothing"),
        ("target open", f"{sum(live)} of {len(live)} buckets"),
    ]


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in facts.items()}
