"""The controller of a soak: walks the fleet to Redis and back for ever, resting a while at each end.

It is made to be killed at any moment and started again. With `--seed` it also does harm itself, where only it knows the
moment: it kills itself right after a write, and it empties Redis while SQLite has the authority.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import signal
import sys
import time
from pathlib import Path

import redis.asyncio
from bidlock_soak import without
from bidlock_soak.fencing import Fence
from bidlock_soak.journal import Journal
from bidlock_soak.seal import Seal

from bidlock import plugins
from bidlock.errors import BackendError, ConfigurationError
from bidlock.migration import Wish, actions, connecting
from bidlock.migration.acting import Stores
from bidlock.migration.controller import PATIENCE, Controller, Step
from bidlock.migration.registerfile import RegisterFile
from bidlock.modes import Role
from bidlock.settings import Settings

ENDS = ("only", "sqlite")
STAY = ".stay"
"""Ending of the file that names the end to rest at, beside the register."""

IDLE = (actions.Noop, actions.Wait, actions.Refuse)

HALTED = 4
"""Exit code: the controller asks for a human, which no fault of a soak calls for."""

LOCKED = 5
"""Exit code: another controller works with the register; the second one came just when the first one was dead."""

DEATH = 0.04
"""How often, of a hundred writes or so, the controller dies after one."""

LOSS = 0.03
"""How often, after a write under Redis' authority, it is emptied, where losses are wanted."""

BUCKETS = 2
"""Of Redis."""

CLOCK_SKEW_MS = 1000
"""Bound on the stamps' clock minus Redis' clock; both are this machine's."""

WIPE = 0.02
"""How often, after a write under SQLite's authority, Redis is emptied."""


REPLACED = 0.03
"""How often, after a write under Redis' authority, another SQLite file stands where the file was."""

STALE = 0.03
"""How often, after a write under SQLite's authority, a replica that lags behind takes Redis' place."""


class Harm:
    """Bad luck that strikes between two writes."""

    def __init__(self, seed: str, journal: Journal, url: str, file: Path, losses: Path | None) -> None:
        self._rng = random.Random(seed)
        self._losses = losses
        self._journal = journal
        self._url = url
        self._file = file
        self._replica: dict[bytes, bytes] = {}
        self._often = 3 if os.environ.get(without.VARIABLE) == without.INCARNATION else 1

    async def strike(self, step: Step) -> None:
        """Perhaps something happens now."""
        if self._rng.random() < DEATH:
            self._journal.note("fault", kind="controller killed after a write", after=type(step.action).__name__)
            os.kill(os.getpid(), signal.SIGKILL)
        if isinstance(step.action, actions.Authorise):
            return  # the authority that was seen is not the one that is
        with contextlib.suppress(redis.exceptions.ConnectionError):  # it is dead right now: that is harm enough
            await self._strike_stores(step)

    async def _strike_stores(self, step: Step) -> None:
        harmless = step.sight.register.authority is Role.ORIGIN
        if harmless and self._rng.random() < WIPE:
            await self._wipe("Redis emptied")
        elif harmless and self._rng.random() < STALE:
            await self._fail_over()
        elif not harmless and self._losses and self._rng.random() < LOSS * self._often:
            self._losses.touch()
            await self._wipe("Redis emptied while it had the authority")
        elif not harmless and self._rng.random() < REPLACED:
            self._replace_file()
        elif self._rng.random() < 2 * STALE:
            await self._replicate()

    def _replace_file(self) -> None:
        """The file and its log are gone, and an empty one is there: everything that was in it is in Redis, too."""
        for path in (self._file, Path(f"{self._file}-wal"), Path(f"{self._file}-shm")):
            path.unlink(missing_ok=True)
        self._file.touch()
        self._journal.note("fault", kind="SQLite file replaced")

    async def _replicate(self) -> None:
        """What a replica has that gets nothing more from now on; it has not even heard of the present leases."""
        async with redis.asyncio.Redis.from_url(self._url) as client:
            keys = [key async for key in client.scan_iter(count=1000) if b":lease:" not in key]
            together = client.pipeline(transaction=True)
            for key in keys:
                together.dump(key)
            self._replica = {key: value for key, value in zip(keys, await together.execute(), strict=True) if value}

    async def _fail_over(self) -> None:
        """To everybody else it is another process, which knows no more than the replica did."""
        if not self._replica:
            return
        async with redis.asyncio.Redis.from_url(self._url) as client, client.pipeline(transaction=True) as together:
            together.flushall()
            for key, value in self._replica.items():
                together.restore(key, 0, value)
                if key.endswith(b":meta"):
                    together.hset(key, "run_id", "f" * 40)
            await together.execute()
        self._journal.note("fault", kind="failover to a stale replica")

    async def _wipe(self, kind: str) -> None:
        async with redis.asyncio.Redis.from_url(self._url) as client:
            await client.flushall()
        self._journal.note("fault", kind=kind)


class Walker:
    """Walks to and fro. Where to is kept in a file, so that the next walker goes on.

    Args:
        controller: Does it.
        goal: The file.
        stay: A file with the end at which it should rest until further notice, if it is there.
        journal: Told of every step and every walk.
        harm: Strikes after writes.
        losses: A file that is there once Redis was emptied while it had the authority: then, and only then, losses are accepted.
        seal: Whether Redis should be sealed, and is.
        rest: Seconds to stay at each end.
        fence: For original bots.
    """

    def __init__(
        self,
        controller: Controller,
        goal: Path,
        stay: Path,
        journal: Journal,
        harm: Harm | None,
        losses: Path,
        seal: Seal,
        rest: float,
        fence: Fence,
    ) -> None:
        self._controller = controller
        self._goal = goal
        self._stay = stay
        self._journal = journal
        self._harm = harm
        self._losses = losses
        self._seal = seal
        self._rest = rest
        self._fence = fence
        self._accepted: frozenset[str] = frozenset()

    async def walk(self) -> None:
        """For ever, or until a halt."""
        while True:
            goal = self._goal.read_text().strip() if self._goal.exists() else ENDS[0]
            arrived = 0.0
            while not arrived or time.monotonic() < arrived + self._rest or self._stays(goal):
                if await self._step(goal) and not arrived:
                    arrived = time.monotonic()
                    self._journal.note("arrived", goal=goal, at=arrived)
                    await self._fence.build()
            self._turn(goal)

    async def _step(self, goal: str) -> bool:
        """One step; whether the fleet rests where it should."""
        try:
            step = await self._controller.step(self._wish(goal))
        except BackendError as error:
            self._journal.note("failed", error=str(error))
            await asyncio.sleep(PATIENCE)
            return False
        if isinstance(step.action, actions.Halt):
            self._halted(step.action)
        if isinstance(step.action, actions.Wait) and step.action.reason == "Sealed":
            self._seal.stoppable.touch()
        if isinstance(step.action, IDLE) or step.result != "OK":
            await asyncio.sleep(PATIENCE)
        else:
            self._journal.note("step", action=repr(step.action), result=step.result, at=time.monotonic())
            if self._harm:
                await self._harm.strike(step)
        return isinstance(step.action, actions.Noop)

    def _wish(self, goal: str) -> Wish:
        sealed = frozenset(range(BUCKETS)) if self._seal.wanted.exists() else frozenset[int]()
        return Wish(goal, sealed=sealed, accepted=self._accepted, clock_skew_ms=CLOCK_SKEW_MS)

    def _halted(self, halt: actions.Halt) -> None:
        """A human would accept the loss that was made, and nothing else."""
        self._journal.note("halted", reason=halt.reason, message=halt.message, at=time.monotonic())
        if halt.reason != "AuthorityLost" or not self._losses.exists():
            sys.stderr.write(f"{halt.reason}: {halt.message}\n")
            raise SystemExit(HALTED)
        self._accepted = frozenset({halt.nonce})

    def _stays(self, goal: str) -> bool:
        return self._stay.exists() and self._stay.read_text() == goal

    def _turn(self, goal: str) -> None:
        """The next goal first, then the walk that is over: a kill in between forgets a walk, but counts none twice."""
        following = ENDS[(ENDS.index(goal) + 1) % len(ENDS)]
        new = self._goal.with_suffix(".new")
        new.write_text(following)
        new.replace(self._goal)
        if goal == ENDS[-1]:
            self._journal.note("walked", at=time.monotonic())


async def run(arguments: argparse.Namespace) -> None:
    """The whole life of the process."""
    settings = Settings.read(os.environ)
    both = connecting.stores(
        settings.sqlite_url,
        settings.redis_url,
        plugins.load(),
        prefix=settings.prefix,
        buckets=settings.buckets,
        timeout=settings.store_timeout,
    )
    await connecting.open_both(both)
    journal = Journal(arguments.journal)
    losses = arguments.register.with_suffix(".losses")
    path = Path(settings.sqlite_url.removeprefix("sqlite:///"))
    accepting = losses if arguments.faults == "losses" else None
    harm = Harm(arguments.seed, journal, settings.redis_url, path, accepting) if arguments.seed else None
    file = RegisterFile(arguments.register)
    cut_down = Stores(without.maimed(both.origin, file), without.maimed(both.target, file))
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(file.locked())
        except ConfigurationError:
            raise SystemExit(LOCKED) from None
        journal.note("at work", at=time.monotonic())
        controller = Controller(file, cut_down, round(settings.ttl_max * 1000), round(settings.margin * 1000))
        with contextlib.suppress(BackendError):
            await controller.begin()
        fence = Fence(both.origin, file)
        await fence.build()
        goal, stay = arguments.register.with_suffix(".goal"), arguments.register.with_suffix(STAY)
        await Walker(controller, goal, stay, journal, harm, losses, Seal(arguments.register), arguments.rest, fence).walk()


def main() -> None:
    """From the command line to the loop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--register", type=Path, required=True)
    parser.add_argument("--rest", type=float, default=2.0)
    parser.add_argument("--seed", default="")
    parser.add_argument("--faults", default="none")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
