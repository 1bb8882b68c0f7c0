"""Few combinations of many options, in which every two choices meet."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")


def combinations(options: Mapping[str, Sequence[T]]) -> list[dict[str, T]]:
    """Rows that give each option one of its choices; any choice of one option stands in a row with any choice of another.

    Greedy: a row begins with a pair that is still open and takes, option by option, the choice that closes the most.
    """
    names = list(options)
    open_pairs = {
        frozenset([(one, i), (other, j)])
        for one, other in itertools.combinations(names, 2)
        for i in range(len(options[one]))
        for j in range(len(options[other]))
    }
    rows = []
    while open_pairs:
        row = dict(min(open_pairs, key=sorted))
        for name in names:
            if name not in row:
                row[name] = max(range(len(options[name])), key=lambda choice: _closes(open_pairs, row, name, choice))
        open_pairs -= {frozenset(pair) for pair in itertools.combinations(row.items(), 2)}
        rows.append({name: options[name][row[name]] for name in names})
    return rows


def _closes(open_pairs: set[frozenset[tuple[str, int]]], row: Mapping[str, int], name: str, choice: int) -> int:
    return sum(frozenset([(name, choice), chosen]) in open_pairs for chosen in row.items())
