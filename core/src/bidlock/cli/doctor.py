"""`bidlock doctor`: can this client bid in its store, and what should a human change."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import os
import time
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

import bidlock
from bidlock import addresses, plugins
from bidlock.backend import Observed
from bidlock.cli import diagnosis, failures, output
from bidlock.cli.diagnosis import Finding, Level
from bidlock.cli.exit_codes import ExitCode
from bidlock.cli.options import AsJson, Policy, Prefix
from bidlock.errors import BackendError, BidlockError
from bidlock.locks import Locks
from bidlock.modes import Role
from bidlock.postings import posting
from bidlock.settings import Settings
from bidlock.stores import Store

_SCRATCH = posting("bidlock", "doctor")
"""Inspected, never locked: the doctor writes nothing."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One store that was looked at.

    Attributes:
        role: Its part in a migration; `origin` or `target`.
        url: Without its password.
        observed: What it says about itself; None when it was not reached.
        round_trip_ms: One question and its answer, milliseconds; None when it was not reached.
    """

    role: Role
    url: str
    observed: Observed | None = None
    round_trip_ms: float | None = None


@dataclass
class Report:
    """What the doctor found, as far as it came."""

    findings: list[Finding] = field(default_factory=list)
    settings: Settings | None = None
    visits: list[Visit] = field(default_factory=list)
    code: ExitCode = ExitCode.OK

    def fail(self, error: BidlockError, store: str = "") -> None:
        """Note what cannot work; the first failure decides the exit code."""
        self.code = self.code or failures.exit_code(error)
        check, remedy = ("reached", "start the store, or correct its URL") if isinstance(error, BackendError) else ("configuration", "")
        self.findings.append(Finding(check, Level.FAILED, failures.redacted(str(error)), remedy, store))


def doctor(
    url: Annotated[str | None, typer.Argument(metavar="[URL]", help="The store; else BIDLOCK_URL.")] = None,
    as_json: AsJson = False,
    policy: Policy = None,
    prefix: Prefix = None,
) -> None:
    """Look at the configuration and the store, and say what to change. Writes nothing; exit code 0 means healthy."""
    report = Report()
    try:
        asyncio.run(_examine(report, url, policy=policy, prefix=prefix))
    except BidlockError as error:
        report.fail(error)
    if report.code is ExitCode.OK and not diagnosis.healthy(report.findings):
        report.code = ExitCode.UNHEALTHY
    output.as_json(_document(report)) if as_json else _show(report)
    raise typer.Exit(report.code)


async def _examine(report: Report, url: str | None, **given: Any) -> None:
    loaded = plugins.load()
    report.findings += diagnosis.of_plugins(loaded.reports)
    report.settings = Settings.read(os.environ, url=url, **given)
    locks = bidlock.connect(url, loaded=loaded, **given)
    for role, store in locks._client.stores.items():  # noqa: SLF001 — the front door opens a store by writing to it, the doctor may not
        await _visit(report, locks, role, store)


async def _visit(report: Report, locks: Locks, role: Role, store: Store) -> None:
    shown = _shown_url(locks.settings, role)
    try:
        visit = await _look(role, shown, store)
    except BidlockError as error:
        report.visits.append(Visit(role, shown))
        report.fail(error, shown)
        return
    report.visits.append(visit)
    report.findings.append(Finding("reached", Level.OK, f"{shown} in {visit.round_trip_ms} ms", store=shown))
    if visit.observed is not None:
        mode = locks.mode.name if role in locks.mode.roles else ""  # a store that this mode does not use need not admit it
        report.findings += diagnosis.of_store(visit.observed, locks.settings, store.capabilities, mode, shown)


async def _look(role: Role, url: str, store: Store) -> Visit:
    try:
        await store.backend.open()
        observed = await store.backend.observe()
        before = time.perf_counter()
        await store.backend.inspect(_SCRATCH)
        return Visit(role, url, observed, round((time.perf_counter() - before) * 1000, 3))
    finally:
        await store.backend.close()


def _shown_url(settings: Settings, role: Role) -> str:
    several = {Role.ORIGIN: settings.sqlite_url, Role.TARGET: settings.redis_url}
    return str(addresses.parse(settings.url or several[role]))


def _document(report: Report) -> dict[str, Any]:
    return {
        "healthy": report.code is ExitCode.OK,
        "exit_code": int(report.code),
        "settings": _settings(report.settings),
        "stores": [_store(visit) for visit in report.visits],
        "clock": _now(),
        "findings": [dataclasses.asdict(finding) for finding in report.findings],
    }


def _settings(settings: Settings | None) -> dict[str, Any] | None:
    """Every setting but the URLs, which are shown without their passwords elsewhere."""
    if settings is None:
        return None
    return {name: value for name, value in dataclasses.asdict(settings).items() if not name.endswith("url")}


def _store(visit: Visit) -> dict[str, Any]:
    return {"role": visit.role.value, "url": visit.url, "round_trip_ms": visit.round_trip_ms, "observed": _observed(visit.observed)}


def _observed(observed: Observed | None) -> dict[str, Any] | None:
    if observed is None:
        return None
    facts = {f.name: getattr(observed, f.name) for f in dataclasses.fields(observed)}
    return {**facts, "modes": sorted(observed.modes), "details": dict(observed.details), "warnings": list(observed.warnings)}


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")


def _show(report: Report) -> None:
    output.table(("", "check", "found"), [(_SIGNS[f.level], f.check, f.detail) for f in report.findings])
    for visit in report.visits:
        if visit.observed is not None and visit.observed.details:
            output.line()
            output.line(visit.url)
            output.facts([(f"  {name}", value) for name, value in sorted(visit.observed.details.items())])
    output.line()
    output.facts([(name, str(value)) for name, value in (_settings(report.settings) or {}).items() if value != ""])
    output.facts([("clock here", _now())])
    remedies = [finding for finding in report.findings if finding.remedy]
    if remedies:
        output.line()
    for finding in remedies:
        output.line(f"{finding.check}: {finding.remedy}")
    output.line()
    output.line("healthy: this client can bid" if report.code is ExitCode.OK else "not healthy: this client cannot bid")


_SIGNS = {Level.OK: "ok", Level.WARNING: "warning", Level.FAILED: "FAILED"}
