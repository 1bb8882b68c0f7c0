"""Everybody at work in a soak: bidders, the controller, Redis and the wire to it. What ends is started again."""

from __future__ import annotations

import asyncio
import itertools
import random
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bidlock_soak.children import Child, Nursery
from bidlock_soak.feed import Feed
from bidlock_soak.journal import Journal, read
from bidlock_soak.walker import BUCKETS, LOCKED, STAY

from bidlock.migration.registerfile import RegisterFile
from bidlock.modes import Role
from bidlock.testing.proxy import Proxy
from bidlock_redis.testing.servers import Server

FOLLOWING, STUBBORN = 4, ("sqlite", "only", "strict", "dual", "primary")
"""How many bidders follow the fleet's mode, and the modes which the others, by turns, have for life: mostly a wrong one."""

BIDDERS = 6
ORIGINALS = 1
"""How many original bots work beside the bidders, behind the trigger fence."""

LOOK = 0.05
"""Seconds between two looks at whether everybody lives."""

TIMES = {
    "BIDLOCK_TTL": "0.6",
    "BIDLOCK_TTL_MAX": "0.6",
    "BIDLOCK_MARGIN": "0.02",
    "BIDLOCK_STORE_TIMEOUT": "0.5",
    "BIDLOCK_REACH_TIMEOUT": "0.5",
    "BIDLOCK_BUCKETS": str(BUCKETS),
}


class SoakFailed(Exception):
    """The soak itself cannot go on: a process ended that must not."""


@dataclass(frozen=True)
class Place:
    """Where everything is.

    Attributes:
        folder: Everything that is written.
        seed: Of every draw.
        server: Redis.
        proxy: Between bidders and Redis.
        feed: What is bid on.
        rest: Seconds that the controller rests at each end.
        faults: `none`, `all`, or `losses`: all, and Redis is also emptied while it has the authority.
    """

    folder: Path
    seed: int
    server: Server
    proxy: Proxy
    feed: Feed
    rest: float
    faults: str

    @property
    def register(self) -> RegisterFile:
        """The register."""
        return RegisterFile(self.folder / "register.json")

    @property
    def sqlite_path(self) -> Path:
        """The SQLite file."""
        return self.folder / "bids.db"

    @property
    def sqlite_url(self) -> str:
        """The SQLite file, for `bidlock.connect`."""
        return f"sqlite:///{self.sqlite_path}"


class Fleet:
    """The processes."""

    def __init__(self, place: Place, nursery: Nursery, journal: Journal, rng: random.Random) -> None:
        self.place = place
        self._nursery = nursery
        self._journal = journal
        self._rng = rng
        self._started = 0
        self._bidders: list[Child] = []
        self._walker: Child | None = None
        self._dismissed = False
        self._stubborn = itertools.cycle(STUBBORN)

    async def begin(self) -> None:
        """The controller first: bidders need the register's id and mode."""
        self._walker = self._start_walker()
        while not self.place.register.mode_path.exists():
            self._mind_walker()
            await asyncio.sleep(LOOK)
        self._bidders = [self._start_bidder(number) for number in range(BIDDERS + ORIGINALS)]

    def bids(self) -> bool:
        """Whether every bidder has told of an attempt; on a busy machine a process takes seconds to start."""
        journals = [self._nursery.journal(child.name) for child in self._bidders]
        return all(journal.exists() and journal.stat().st_size for journal in journals)

    async def keep(self) -> None:
        """Replace whoever was killed, until cancelled.

        Raises:
            SoakFailed: somebody ended in another way.
        """
        while True:
            self._mind_walker()
            if not self._dismissed:
                self._bidders = [self._minded(number, child) for number, child in enumerate(self._bidders)]
            await asyncio.sleep(LOOK)

    async def dismiss(self) -> None:
        """Tell the bidders to finish what they are at; return when they have ended."""
        self._dismissed = True
        for child in self._bidders:
            child.send(signal.SIGTERM)
            child.send(signal.SIGCONT)
        for child in self._bidders:
            await self._end(child)

    async def sweep(self, numbers: list[int]) -> None:
        """Have these postings bid on once more by somebody who follows the mode."""
        wanted = self.place.folder / "sweep"
        wanted.write_text(" ".join(map(str, numbers)))
        await self._end(self._bidder("sweeper", {"BIDLOCK_MODE_FILE": str(self.place.register.mode_path)}, "--sweep", str(wanted)))

    def kill_bidder(self) -> None:
        """SIGKILL one that has begun; on a busy machine one that starts may take longer than the time between two faults."""
        begun = [child for child in self._bidders if self._nursery.journal(child.name).exists()]
        if not begun:
            return
        child = self._rng.choice(begun)
        self._journal.note("killed", process=child.name, at=time.monotonic())
        child.send(signal.SIGKILL)

    def kill_walker(self) -> None:
        """SIGKILL the controller, in the middle of whatever it does; not before it does anything."""
        if self._walker and self._at_work(self._walker):
            self._journal.note("left", at=time.monotonic())
            self._walker.send(signal.SIGKILL)

    async def pause_bidder(self, seconds: float) -> None:
        """SIGSTOP one for a while."""
        await self._pause(self._rng.choice(self._bidders), seconds)

    async def pause_walker(self, seconds: float) -> None:
        """SIGSTOP the controller for a while."""
        if self._walker:
            start = time.monotonic()
            await self._pause(self._walker, seconds)
            self._journal.note("absence", start=start, end=time.monotonic())

    async def _pause(self, child: Child, seconds: float) -> None:
        child.send(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        child.send(signal.SIGCONT)

    async def second_controller(self) -> None:
        """Start the command line on the same register: the file's lock has to refuse it.

        Raises:
            SoakFailed: it was let in, though the first one was alive all the time.
        """
        first = self._walker
        held = first is not None and self._at_work(first)
        command = (str(Path(sys.executable).with_name("bidlock")), "migrate", "--to", "sqlite", "--step")
        second = self._nursery.start(
            self._name("second"), *command, "--register", str(self.place.register.path), environment=self._controllers()
        )
        while second.running:
            await asyncio.sleep(LOOK)
        refused = second.process.returncode and "another controller" in second.said()
        if not refused and held and first is self._walker and first and first.running:
            raise SoakFailed(f"a second controller was not refused: code {second.process.returncode}: {second.said()}")

    def authority(self) -> Role:
        """Who has it, as the register says."""
        kept = self.place.register.read()
        return kept.register.authority if kept and kept.register else Role.ORIGIN

    def stay(self, end: str) -> None:
        """Have the controller rest when it comes to this end."""
        path = self.place.register.path.with_suffix(STAY)
        new = path.with_suffix(".new-stay")
        new.write_text(end)
        new.replace(path)

    def rests_at(self, end: str) -> bool:
        """Whether the fleet is at this end, and no transition is under way."""
        kept = self.place.register.read()
        return bool(kept and kept.register and kept.register.settled and kept.register.to == end)

    def where(self) -> str:
        """Where the fleet is, for humans."""
        kept = self.place.register.read()
        return f"{kept.template} ({kept.register.authority.value})" if kept and kept.register else "-"

    def _at_work(self, walker: Child) -> bool:
        """Whether it has the register's lock by now."""
        journal = self._nursery.journal(walker.name)
        return journal.exists() and any(fact["fact"] == "at work" for fact in read(journal))

    async def _end(self, child: Child) -> None:
        while child.running:
            await asyncio.sleep(LOOK)
        if child.process.returncode not in (0, -signal.SIGKILL, -signal.SIGTERM):  # the last: it had not begun yet
            raise SoakFailed(f"{child.name} ended with code {child.process.returncode}: {child.said()}")

    def _mind_walker(self) -> None:
        if self._walker and not self._walker.running:
            self._journal.note("left", at=time.monotonic())
            if self._walker.process.returncode not in (-signal.SIGKILL, LOCKED):
                raise SoakFailed(f"the controller ended with code {self._walker.process.returncode}: {self._walker.said()}")
            self._walker = self._start_walker()

    def _minded(self, number: int, child: Child) -> Child:
        if child.running:
            return child
        if child.process.returncode != -signal.SIGKILL:
            raise SoakFailed(f"{child.name} ended with code {child.process.returncode}: {child.said()}")
        return self._start_bidder(number)

    def _start_walker(self) -> Child:
        name = self._name("walker")
        harm = ("--seed", f"{self.place.seed}-{name}", "--faults", self.place.faults) if self.place.faults != "none" else ()
        arguments = (
            "--journal",
            str(self._nursery.journal(name)),
            "--register",
            str(self.place.register.path),
            "--rest",
            str(self.place.rest),
        )
        return self._nursery.start(name, "-m", "bidlock_soak.walker", *arguments, *harm, environment=self._controllers())

    def _start_bidder(self, number: int) -> Child:
        if number >= BIDDERS:
            return self._start_original()
        register = self.place.register
        following = {"BIDLOCK_MODE_FILE": str(register.mode_path)}
        mode = following if number < FOLLOWING else {"BIDLOCK_MODE": next(self._stubborn)}
        return self._bidder(self._name("bidder"), mode)

    def _bidder(self, name: str, mode: dict[str, str], *arguments: str) -> Child:
        kept = self.place.register.read()
        wire = f"redis://{self.place.proxy.host}:{self.place.proxy.port}/0"
        stores = {"BIDLOCK_POLICY": kept.owner if kept else "", "BIDLOCK_SQLITE_URL": self.place.sqlite_url, "BIDLOCK_REDIS_URL": wire}
        own = ("--journal", str(self._nursery.journal(name)), "--seed", f"{self.place.seed}-{name}")
        environment = TIMES | stores | mode | {"BIDLOCK_HOLDER": name}
        return self._nursery.start(name, "-m", "bidlock_soak.bidder", *own, *self._stream(), *arguments, environment=environment)

    def _start_original(self) -> Child:
        name = self._name("original")
        own = ("--journal", str(self._nursery.journal(name)), "--seed", f"{self.place.seed}-{name}", "--path", str(self.place.sqlite_path))
        own += ("--fenced", str(self.place.register.path.with_suffix(".fenced")))
        return self._nursery.start(name, "-m", "bidlock_soak.original", *own, *self._stream(), environment={})

    def _stream(self) -> tuple[str, ...]:
        feed = self.place.feed
        return ("--begun", str(feed.begun), "--rate", str(feed.rate), "--head-start", str(feed.head_start), "--wall", str(feed.wall))

    def _controllers(self) -> dict[str, str]:
        return TIMES | {"BIDLOCK_SQLITE_URL": self.place.sqlite_url, "BIDLOCK_REDIS_URL": self.place.server.url}

    def _name(self, kind: str) -> str:
        self._started += 1
        return f"{kind}-{self._started}"
