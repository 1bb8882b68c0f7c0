"""The Lua scripts, loaded once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True, slots=True)
class Script:
    """A script as it is sent.

    Attributes:
        name: Of its file, without the ending.
        source: With the guard in front where it has one.
        sha: Under which a server that has seen it runs it.
    """

    name: str
    source: bytes
    sha: bytes


def _load(name: str, *, guarded: bool = False) -> Script:
    folder = resources.files("bidlock_redis") / "lua"
    parts = [folder / "guard.lua", folder / f"{name}.lua"] if guarded else [folder / f"{name}.lua"]
    source = b"\n".join(part.read_bytes() for part in parts)
    # The server names a script by its SHA-1; nothing is secured by it.
    return Script(name, source, hashlib.sha1(source, usedforsecurity=False).hexdigest().encode())


ACQUIRE = _load("acquire", guarded=True)
CONFIRM = _load("confirm", guarded=True)
RENEW = _load("renew", guarded=True)
CLAIM = _load("claim", guarded=True)
RECORD = _load("record", guarded=True)
MARK = _load("mark", guarded=True)
RELEASE = _load("release")
INSPECT = _load("inspect")
BREAK = _load("break")
OBSERVE = _load("observe")
PLANT = _load("plant")
BLESS = _load("bless")
