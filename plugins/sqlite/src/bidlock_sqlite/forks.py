"""Keep SQLite out of a fork: its locks do not survive one, and its tables of locks do.

A child that opened the file again would believe locks to be held that its parent holds (SQLite keeps one table of them
per process and file, and a fork copies it). So the connections of this process are closed while it forks, between two
transactions; parent and child open their own afterwards.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Protocol


class Forked(Protocol):
    """What has to be put in order around a fork."""

    def before_fork(self) -> None:
        """Finish what is under way, close, and hold everything up."""

    def after_fork_in_parent(self) -> None:
        """Go on."""

    def after_fork_in_child(self) -> None:
        """Begin afresh: no thread of the parent lives here, and nobody waits for an answer."""


_members: weakref.WeakSet[Forked] = weakref.WeakSet()
_turn = threading.Lock()
_held: list[Forked] = []


def register(member: Forked) -> None:
    """Take somebody in; forgotten when nobody else knows it any more."""
    _members.add(member)


def _before() -> None:
    _turn.acquire()
    _held[:] = list(_members)
    for member in _held:
        member.before_fork()


def _after_in_parent() -> None:
    for member in _held:
        member.after_fork_in_parent()
    _held.clear()
    _turn.release()


def _after_in_child() -> None:
    for member in _held:
        member.after_fork_in_child()
    _held.clear()
    _turn.release()


os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
