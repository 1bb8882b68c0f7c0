"""`bidlock inspect` and `bidlock break`: who holds a posting, and taking it from them."""

from __future__ import annotations

import asyncio
import datetime
import getpass
import sys
from typing import Annotated, Any

import typer

import bidlock
from bidlock.backend import Inspection, LeaseRecord, MarkerRecord
from bidlock.cli import keys, output
from bidlock.cli.options import AsJson, Policy, Prefix, Url
from bidlock.locks import Locks
from bidlock.postings import Posting


def inspect(key: keys.Key, as_json: AsJson = False, url: Url = None, policy: Policy = None, prefix: Prefix = None) -> None:
    """Show who holds a posting, since when, and what became of it."""
    posting = keys.parse(key)
    inspection = asyncio.run(_inspect(bidlock.connect(url, policy=policy, prefix=prefix), posting))
    if as_json:
        output.as_json(document(posting, inspection))
    else:
        output.facts(described(posting, inspection))


def break_(
    key: keys.Key,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; goes into the store's audit.")],
    by: Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who does it; your user name when left out.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    url: Url = None,
    policy: Policy = None,
    prefix: Prefix = None,
) -> None:
    """Take a posting's lease from its holder by force: audited, and fenced, so that the holder can neither renew nor claim."""
    posting = keys.parse(key)
    if not yes:
        _confirm(posting, asyncio.run(_inspect(bidlock.connect(url, policy=policy, prefix=prefix), posting)))
    broken = asyncio.run(_break(bidlock.connect(url, policy=policy, prefix=prefix), posting, by or getpass.getuser(), reason))
    if broken is None:
        output.line(f"{posting.key} is not leased; nothing was broken")
    else:
        output.line(f"broke the lease of {posting.key} held by {broken.holder or 'an original bot'} (token {broken.token})")


def document(posting: Posting, inspection: Inspection) -> dict[str, Any]:
    """The inspection as `--json` prints it."""
    lease, marker = inspection
    return {
        "marketplace": posting.marketplace,
        "posting_id": posting.id,
        "key": posting.key,
        "lease": lease and lease._asdict(),
        "marker": marker and {**marker._asdict(), "state": marker.state.value},
    }


def described(posting: Posting, inspection: Inspection) -> list[tuple[str, str]]:
    """The inspection for humans."""
    lease, marker = inspection
    return [
        ("posting", posting.key),
        ("lease", _lease(lease) if lease else "free"),
        ("marker", _marker(marker) if marker else "none; nobody bid"),
    ]


def _lease(lease: LeaseRecord) -> str:
    since = f" since {_moment(lease.since_ms)}" if lease.since_ms else ""
    return f"held by {lease.holder or 'an original bot'}{since}, {lease.remaining_ms / 1000:.1f} s left, token {lease.token}"


def _marker(marker: MarkerRecord) -> str:
    posted = f", posted {_moment(marker.posted_at_ms)}" if marker.posted_at_ms else ""
    return f"{marker.state.value} under token {marker.token}{posted}; nobody bids on it again"


def _moment(milliseconds: int) -> str:
    return datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC).isoformat(timespec="seconds")


def _confirm(posting: Posting, inspection: Inspection) -> None:
    if not sys.stdin.isatty():
        raise typer.BadParameter("nobody is there to confirm; add --yes", param_hint="--yes")
    output.facts(described(posting, inspection))
    typer.confirm("Break this lease? Its holder may still be working.", abort=True)


async def _inspect(locks: Locks, posting: Posting) -> Inspection:
    async with locks:
        return await locks.inspect(posting.marketplace, posting.id)


async def _break(locks: Locks, posting: Posting, by: str, reason: str) -> LeaseRecord | None:
    async with locks:
        return await locks.break_lock(posting.marketplace, posting.id, by=by, reason=reason)
