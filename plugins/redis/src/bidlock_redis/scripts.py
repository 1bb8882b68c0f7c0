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
        source: With the guard of bidders or controllers in front where it has one.
        sha: Under which a server that has seen it runs it.
    """

    name: str
    source: bytes
    sha: bytes


def _load(name: str, guard: str = "") -> Script:
    folder = resources.files("bidlock_redis") / "lua"
    source = b"\n".join((folder / f"{part}.lua").read_bytes() for part in (guard, name) if part)
    # The server names a script by its SHA-1; nothing is secured by it.
    return Script(name, source, hashlib.sha1(source, usedforsecurity=False).hexdigest().encode())


ACQUIRE = _load("acquire", "guard")
CONFIRM = _load("confirm", "guard")
RENEW = _load("renew", "guard")
CLAIM = _load("claim", "guard")
RECORD = _load("record", "guard")
MARK = _load("mark", "guard")
RELEASE = _load("release")
INSPECT = _load("inspect")
BREAK = _load("break")
OBSERVE = _load("observe")
PLANT = _load("plant")
BLESS = _load("bless")

WINDOW = _load("window", "controlled")
WATERMARK = _load("watermark", "controlled")
COPYIN = _load("copyin", "controlled")
STAMP = _load("stamp", "controlled")
ADOPT = _load("adopt", "controlled")
SEAL = _load("seal", "controlled")
REOPEN = _load("reopen", "controlled")
TAKEOVER = _load("takeover")
SHARDS = _load("shards")
COPYOUT = _load("copyout")
