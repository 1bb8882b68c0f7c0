"""The three users of a Redis that the operator runs, and the little that each may do."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, fields

BIDDER, OPERATOR, PROBE = "bidder", "operator", "probe"

SCRIPTED = (
    "del", "eval", "evalsha", "get", "hexists", "hget", "hgetall", "hlen", "hmget", "hset", "hsetnx", "incr", "info",
    "ltrim", "pexpire", "ping", "pttl", "publish", "rpush", "set", "time", "wait",
)  # fmt: skip
"""What the scripts of bidders and operator call, and how they are sent. A script may do no more than its user."""

_BIDDER = (*SCRIPTED, "subscribe", "unsubscribe")
_OPERATOR = (*SCRIPTED, "config|get")
SHORTEST = 16


@dataclass(frozen=True, slots=True, repr=False)
class Passwords:
    """One for each user; letters and digits only, because one becomes part of a URL."""

    bidder: str
    operator: str
    probe: str

    @classmethod
    def generate(cls) -> Passwords:
        """Fresh ones."""
        return cls(*(secrets.token_hex(24) for _ in fields(cls)))

    @classmethod
    def read(cls, data: Mapping[str, str]) -> Passwords:
        """From the decoded data of a Secret.

        Raises:
            ValueError: one is missing, too short, or has characters that a URL would need escaped; names its key.
        """
        for key in (BIDDER, OPERATOR, PROBE):
            if len(data.get(key, "")) < SHORTEST or not (data[key].isascii() and data[key].isalnum()):
                raise ValueError(f"key {key!r} must be letters and digits, {SHORTEST} characters or more")
        return cls(data[BIDDER], data[OPERATOR], data[PROBE])

    def data(self) -> dict[str, str]:
        """As the data of a Secret, not encoded."""
        return {BIDDER: self.bidder, OPERATOR: self.operator, PROBE: self.probe}


def render(prefix: str, passwords: Passwords) -> str:
    """The text of users.acl; passwords only as their SHA-256.

    Bidders and operator reach the keys and channels of one prefix and nothing else. The default user is off: nobody can be
    it. It keeps every permission all the same, because a server that starts reads its append-only file as this user, and
    skips what a script wrote (a transaction, in the file) when the user may not.
    """
    place = f"resetkeys ~{{{prefix}:* resetchannels &{{{prefix}:*"
    return "".join(
        (
            "user default reset off ~* &* +@all\n",
            _user(BIDDER, passwords.bidder, place, _BIDDER),
            _user(OPERATOR, passwords.operator, place, _OPERATOR),
            _user(PROBE, passwords.probe, "resetkeys resetchannels", ("ping",)),
        )
    )


def _user(name: str, password: str, place: str, commands: tuple[str, ...]) -> str:
    digest = hashlib.sha256(password.encode()).hexdigest()
    return f"user {name} reset on #{digest} {place} -@all {' '.join(f'+{command}' for command in commands)}\n"
