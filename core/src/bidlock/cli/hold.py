"""`bidlock hold`: the bare lock around a command of any language."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer

import bidlock
from bidlock.cli import keys, moments
from bidlock.cli.children import Child, Signals, Stopped, environment_of, missing
from bidlock.cli.exit_codes import SIGNAL_BASE, ExitCode
from bidlock.cli.failures import say
from bidlock.cli.options import Command, Policy, Prefix, Timeout, Ttl, Url
from bidlock.leases import Lease


def hold(
    key: keys.Key,
    command: Command,
    timeout: Timeout = 10.0,
    ttl: Ttl = None,
    max_hold: Annotated[
        float | None, typer.Option("--max-hold", metavar="SECONDS", help="How long to renew at most; else BIDLOCK_MAX_HOLD.")
    ] = None,
    grace: Annotated[
        float, typer.Option("--grace", metavar="SECONDS", min=0.0, help="Time from SIGTERM to SIGKILL when the lease is lost.")
    ] = 3.0,
    posted_at: moments.PostedAt = None,
    url: Url = None,
    policy: Policy = None,
    prefix: Prefix = None,
) -> None:
    """Hold the bare lock while a command runs.

    For example: bidlock hold upwork:~01ab -- ./sync.sh

    It may be taken again afterwards (a bid belongs under `once`). When the lease is lost the command is ended: SIGTERM,
    then SIGKILL. The command sees BIDLOCK_TOKEN, BIDLOCK_NONCE, BIDLOCK_MARKETPLACE and BIDLOCK_POSTING.
    """
    posting, stamp = keys.parse(key), moments.parse(posted_at)
    if code := missing(command):
        raise typer.Exit(code)
    locks = bidlock.connect(url, policy=policy, prefix=prefix)

    async def run() -> int:
        with Signals() as signals:
            async with (
                locks,
                locks.hold(posting.marketplace, posting.id, ttl=ttl, timeout=timeout, posted_at=stamp, max_hold=max_hold) as lease,
            ):
                return await _run_under(lease, command, signals, grace)

    try:
        raise typer.Exit(asyncio.run(run()))
    except Stopped as stop:
        say(f"{stop}; the command was not started, or had ended")
        raise typer.Exit(SIGNAL_BASE + stop.number) from None


async def _run_under(lease: Lease, command: Sequence[str], signals: Signals, grace: float) -> int:
    try:
        signals.child = child = await Child.start(command, environment_of(lease))
    except OSError as error:
        say(f"the command could not be started: {error.strerror}")
        return ExitCode.NOT_STARTED
    ended = asyncio.ensure_future(child.wait())
    lost = asyncio.ensure_future(lease.lost.wait())
    try:
        await asyncio.wait((ended, lost), return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            return ended.result()
        say(f"the lease of {lease.posting.key} (token {lease.token}) was lost; ending the command")
        await child.end(grace)
        return ExitCode.LOST
    finally:
        signals.child = None
        lost.cancel()
        ended.cancel()
