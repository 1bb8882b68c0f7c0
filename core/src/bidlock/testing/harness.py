"""What a backend author writes so that the conformance kit can start, hurt and reach real stores of theirs."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Protocol


class Harness(Protocol):
    """One running store (a server process, a folder of files) for the tests of one session.

    The kit builds one per variant, calls `start` once, asks `fresh_url` for an empty store per test, and `stop` at the
    end. The optional powers below are asked for with `getattr`; a missing one leaves its family of tests out, and
    `conformance.json` says so.

    Optional attributes and methods:
        tcp: `(host, port)` where the store listens, for stores reached over TCP: the kit puts its own proxy in between.
        url_through(url, host, port): The same store's URL through that proxy.
        kill(): SIGKILL the store's process; acknowledged writes must survive when `durability` is not `volatile`.
        restart(): Start it again after `kill`, over the same data, and return when it answers.
        pause() / resume(): SIGSTOP and SIGCONT the store's process.
        shift_clock(seconds): Move the store's own wall clock, where it can be moved.
    """

    variants: ClassVar[tuple[str, ...]]
    """What can be started on this machine, for example `("redis-6.2", "valkey-9.1")`; at least one."""

    def __init__(self, directory: Path, variant: str) -> None:
        """Keep the store's files below `directory`; nothing is started yet."""

    def start(self) -> None:
        """Start the store and return when it answers."""

    def stop(self) -> None:
        """End it, with every process it started."""

    def fresh_url(self) -> str:
        """URL of an empty store that no other test sees (a new file, a new prefix through `?prefix=`, a new name)."""
