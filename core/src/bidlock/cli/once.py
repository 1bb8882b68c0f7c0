"""`bidlock once`: bid through a command of any language, at most once in the fleet's life."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Annotated, Any

import typer

import bidlock
from bidlock.cli import keys, moments
from bidlock.cli.children import Child, Signals, Stopped, environment_of, missing
from bidlock.cli.exit_codes import SIGNAL_BASE, ExitCode
from bidlock.cli.failures import say
from bidlock.cli.options import Command, Policy, Prefix, Timeout, Ttl, Url
from bidlock.leases import Lease
from bidlock.outcomes import BidRejected, Skipped, SkipReason


def once(
    key: keys.Key,
    command: Command,
    posted_at: moments.PostedAt = None,
    rejected_exit: Annotated[
        int | None, typer.Option("--rejected-exit", metavar="CODE", help="Exit code by which the command says: refused by the marketplace.")
    ] = None,
    skipped_exit: Annotated[
        int, typer.Option("--skipped-exit", metavar="CODE", help="Exit with this code when the posting is skipped.")
    ] = ExitCode.NOT_ACQUIRED,
    timeout: Timeout = 0.0,
    ttl: Ttl = None,
    url: Url = None,
    policy: Policy = None,
    prefix: Prefix = None,
) -> None:
    """Run a command at most once in the fleet's life for a posting.

    For example: bidlock once upwork:~01ab -- ./bid.sh

    The posting is claimed for good before the command starts; whatever becomes of the command, nobody bids on it again.
    The command sees BIDLOCK_TOKEN, BIDLOCK_NONCE, BIDLOCK_MARKETPLACE and BIDLOCK_POSTING.
    """
    posting, stamp = keys.parse(key), moments.parse(posted_at)
    if code := missing(command):
        raise typer.Exit(code)
    locks = bidlock.connect(url, policy=policy, prefix=prefix)
    bid = _Bid(command, rejected_exit)

    async def run() -> int:
        with bid.signals:
            async with locks:
                outcome = await locks.bid_once(posting.marketplace, posting.id, bid.place, posted_at=stamp, ttl=ttl, timeout=timeout)
        return _skipped(outcome, skipped_exit) if isinstance(outcome, Skipped) else outcome.result

    raise typer.Exit(_exit_code(run))


class _Ended(Exception):
    """Carries the command's exit code through `bid_once`, which records `unknown`."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(f"the command ended with {code}")


class _Bid:
    """The command as a bid."""

    def __init__(self, command: Sequence[str], rejected_exit: int | None) -> None:
        self.signals = Signals()
        self._command = command
        self._rejected_exit = rejected_exit

    async def place(self, lease: Lease) -> int:
        """Run the command; anything but 0 is raised on, so that it is recorded as what it is."""
        try:
            self.signals.child = child = await Child.start(self._command, environment_of(lease))
        except OSError as error:
            say(f"the command could not be started: {error.strerror}; the posting is claimed all the same")
            raise BidRejected(ExitCode.NOT_STARTED) from error
        try:
            code = await child.wait()
        finally:
            self.signals.child = None
        if code == self._rejected_exit:
            raise BidRejected(code)
        if code:
            raise _Ended(code)
        return code


def _exit_code(run: Callable[[], Coroutine[Any, Any, int]]) -> int:
    try:
        return asyncio.run(run())
    except BidRejected as rejection:
        return int(rejection.args[0])
    except _Ended as ended:
        return ended.code
    except Stopped as stop:
        say(f"{stop}; nothing was started")
        return SIGNAL_BASE + stop.number


def _skipped(skipped: Skipped, code: int) -> int:
    say(f"skipped: {skipped.reason.value}" + (f" ({skipped.detail})" if skipped.detail else ""))
    return ExitCode.UNREACHABLE if skipped.reason is SkipReason.UNREACHABLE else code
