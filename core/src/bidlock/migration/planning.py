"""What a walk would do, in words, without doing any of it."""

from __future__ import annotations

import itertools

from bidlock.migration.deciding import LADDER
from bidlock.migration.sight import ORIGIN_ONLY, TARGET_ONLY

NAMES = {"sqlite": "sqlite", "dual": "dual", "strict": "strict", "redis-primary": "primary", "redis-only": "only"}
"""What people call the modes on the command line, and what stores call them."""


def plan(source: str, to: str) -> list[str]:
    """The steps from one mode to another, a sentence each.

    Args:
        source: Mode the fleet is in.
        to: Mode wanted.
    """
    first, last = LADDER.index(source), LADDER.index(to)
    path = LADDER[first : last + 1] if first <= last else LADDER[last : first + 1][::-1]
    return [_sentence(a, b) for a, b in itertools.pairwise(path)]


def _sentence(a: str, b: str) -> str:
    if b in TARGET_ONLY and a not in TARGET_ONLY:
        return f"{a} -> {b}: fence the origin, let its leases run out, copy every marker to the target, give it the authority; then roll"
    if b in ORIGIN_ONLY and a not in ORIGIN_ONLY:
        return f"{a} -> {b}: if the target has the authority, fence it, let leases run out and copy every marker back; then roll"
    return f"{a} -> {b}: admit {b} beside {a}, let the bidders change over, admit {a} no more"
