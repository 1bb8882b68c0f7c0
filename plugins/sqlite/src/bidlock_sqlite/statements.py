"""The SQL of this plugin, read once from the `.sql` files beside this module."""

from __future__ import annotations

import re
from importlib import resources

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_COMMENT = re.compile(r"^\s*--.*$", re.MULTILINE)


def _read(name: str) -> str:
    return resources.files("bidlock_sqlite").joinpath("sql", name).read_text(encoding="utf-8")


def _named(text: str) -> dict[str, str]:
    _, *parts = _NAME.split(text)
    return {name: _bare(body) for name, body in zip(parts[::2], parts[1::2], strict=True)}


def _bare(statement: str) -> str:
    return _COMMENT.sub("", statement).strip().removesuffix(";")


SCHEMA: tuple[str, ...] = tuple(part.strip() for part in _COMMENT.sub("", _read("schema.sql")).split(";") if part.strip())
"""Every statement that makes the tables, in order."""

SQL: dict[str, str] = _named(_read("statements.sql"))
"""Every statement of the bidders by its name."""

CONTROL: dict[str, str] = _named(_read("controlled.sql"))
"""Every statement of a controller by its name."""

FENCE: dict[str, str] = _named(_read("legacy_fence.sql"))
"""The trigger fence by the names of its parts."""
