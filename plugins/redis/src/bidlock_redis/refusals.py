"""What an error reply of the server means: that nothing happened, or that we cannot know.

Our scripts read first and write last, and the states below do not change while a short script runs: the first write of
a script meets them or none does. So they prove that nothing happened, also when they come out of a script. Everything
else that a *running* script reports may have come after a write of that script.
"""

from __future__ import annotations

import re

from bidlock.errors import BackendAmbiguous, BackendUnavailable

REFUSED = frozenset(
    {
        "READONLY",  # a replica, perhaps a master of yesterday
        "LOADING",
        "CLUSTERDOWN",
        "MASTERDOWN",
        "MISCONF",  # the disk is full; checked before each write, and constant while a script runs
        "NOREPLICAS",
        "OOM",  # with noeviction; Redis never checks it again after a script's first write
        "BUSY",  # another script runs too long; ours was not started
        "TRYAGAIN",
        "NOAUTH",
        "NOSCRIPT",
        "MOVED",
        "ASK",
        "CROSSSLOT",
        "DENIED",
    }
)
"""First words of replies with which a server refuses before it acts."""

SWITCHED = frozenset({"READONLY", "MASTERDOWN"})
"""Refusals by a server that is no longer the one to talk to."""

_INNER = re.compile(r"(?:^|[\s:])-([A-Z]+) ")
_FROM_SCRIPT = re.compile(r"Error running script|script: [0-9a-f]{40}|@user_script")


def code(reply: BaseException) -> str:
    """The word that names an error reply; for one that Redis 6 wraps in its report about a script, the inner word."""
    text = str(reply)
    first = text.partition(" ")[0]
    if first == "ERR" and "Error running script" in text and (inner := _INNER.search(text)):
        return inner[1]
    return first


class Refused(BackendUnavailable):
    """The server answered, and did nothing: unlike one that was not reached."""


def error(reply: BaseException) -> Refused | BackendAmbiguous:
    """The exception that an error reply means to the caller."""
    text, word = str(reply), code(reply)
    if word in REFUSED:
        return Refused(f"the server refused: {text}")
    if _FROM_SCRIPT.search(text):
        return BackendAmbiguous(f"a script failed on the server: {text}")
    # Refused before a script was started: unknown command, no permission for EVALSHA …
    return Refused(f"the server refused: {text}")
