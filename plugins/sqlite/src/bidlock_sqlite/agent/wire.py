"""What goes over the wire: JSON in, JSON out, one path per verb. The one place that both sides read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from bidlock.backend import MarkerState
from bidlock.migration.port import Constitution, MarkerRow, Outcome, Tail
from bidlock.migration.sight import Origin

PREFIX = "/v1/"
"""First part of every verb's path; the version of all that is said here."""

PORT = 8741
"""Where an agent listens unless it is told otherwise."""

PATIENCE = 2.0
"""How long an agent waits for a stranger's lock on its file, seconds; clients wait that much longer for an answer."""

UNFIT = "unfit"
"""Kind of a failure that is the file's own: it lies where no lock can be trusted."""

LARGEST = 16 * 2**20
"""Largest request, bytes."""

ROWS = 1000
"""How many markers a client sends or takes at once."""


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r} is no whole number")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _modes(value: Any) -> frozenset[str]:
    return frozenset(map(_text, value))


def _constitution(value: Any) -> Constitution:
    texts = {name: _text(value[name]) for name in ("owner", "domain")}
    numbers = {name: _number(value[name]) for name in ("epoch", "ttl_max_ms", "margin_ms", "watermark_ms")}
    skew = value["adoption_skew_ms"]
    return Constitution(**texts, **numbers, adoption_skew_ms=None if skew is None else _number(skew))  # type: ignore[arg-type]  # the names above are its own


def _tail(value: Any) -> Tail:
    return Tail(_number(value[0]), _number(value[1]))


def marker(value: Any) -> MarkerRow:
    """A marker from its JSON form."""
    key, nonce, token, state, posted_at_ms = value
    return MarkerRow(_text(key), _text(nonce), _number(token), MarkerState(state), _number(posted_at_ms))


def _markers(value: Any) -> list[MarkerRow]:
    return [marker(row) for row in value]


_EPOCH: dict[str, Callable[[Any], Any]] = {"epoch": _number}
_MODE = {"mode": _text, **_EPOCH}

VERBS: dict[str, dict[str, Callable[[Any], Any]]] = {
    "survey": _EPOCH,
    "constitute": {"constitution": _constitution, "modes": _modes},
    "fence": {"modes": _modes, **_EPOCH},
    "open_mode": _MODE,
    "close_mode": _MODE,
    "raise_watermark": {"watermark_ms": _number, **_EPOCH},
    "copy_out": {"bucket": _number},
    "tail": {"bucket": _number},
    "copy_in": {"rows": _markers, "bucket": _number, "seen": _text},
    "stamp": {"tail": _tail, **_EPOCH, "bucket": _number, "seen": _text},
    "install_fence": _EPOCH,
    "remove_fence": _EPOCH,
}
"""Every verb with its arguments, and how each is read."""


def read(verb: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a verb.

    Raises:
        ValueError, TypeError, KeyError: one is missing or malformed.
    """
    return {name: reader(body[name]) for name, reader in VERBS[verb].items()}


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, Origin | Constitution):
        return {name: plain(part) for name, part in asdict(value).items()}
    return sorted(value) if isinstance(value, frozenset) else value


def origin(value: Any) -> Origin:
    """What was seen of the store, from its JSON form."""
    sets = {"modes": frozenset(value["modes"]), "synced": frozenset(value["synced"])}
    return Origin(**{**value, **sets})


def answered(verb: str, value: Any) -> Any:
    """A verb's answer from its JSON form."""
    if verb == "survey":
        return origin(value)
    return _tail(value) if verb == "tail" else Outcome(value)
