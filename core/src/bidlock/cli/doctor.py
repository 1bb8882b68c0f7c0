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

from bidlock import addresses, plugins
from bidlock.backend import SELF, BackendConfig, Observed
from bidlock.cli import diagnosis, failures, output
from bidlock.cli.diagnosis import Finding, Level
from bidlock.cli.exit_codes import ExitCode
from bidlock.cli.options import AsJson, Policy, Prefix
from bidlock.errors import BackendError, BidlockError, ConfigurationError
from bidlock.hookspecs import BackendSpec
from bidlock.postings import posting
from bidlock.settings import Settings

_SCRATCH = posting("bidlock", "doctor")
"""Inspected, never locked: the doctor writes nothing."""


@dataclass
class Report:
    """What the doctor found, as far as it came.

    Attributes:
        findings: One after the other.
        settings: As understood from options and `BIDLOCK_*`.
        url: The store's URL without its password.
        observed: What the store says about itself; None when it was not reached.
        round_trip_ms: One question and its answer, milliseconds; None when it was not reached.
        code: The exit code.
    """

    findings: list[Finding] = field(default_factory=list)
    settings: Settings | None = None
    url: str = ""
    observed: Observed | None = None
    round_trip_ms: float | None = None
    code: ExitCode = ExitCode.OK


def doctor(
    url: Annotated[str | None, typer.Argument(metavar="[URL]", help="The store; else BIDLOCK_URL.")] = None,
    as_json: AsJson = False,
    policy: Policy = None,
    prefix: Prefix = None,
) -> None:
    """Look at the configuration and the store, and say what to change. Writes nothing; exit code 0 means healthy."""
    report = Report()
    try:
        _examine(report, url=url, policy=policy, prefix=prefix)
    except BidlockError as error:
        report.code = failures.exit_code(error)
        report.findings.append(Finding(_subject(error), Level.FAILED, failures.redacted(str(error)), _remedy(error)))
    if report.code is ExitCode.OK and not diagnosis.healthy(report.findings):
        report.code = ExitCode.UNHEALTHY
    output.as_json(_document(report)) if as_json else _show(report)
    raise typer.Exit(report.code)


def _examine(report: Report, **given: str | None) -> None:
    loaded = plugins.load()
    report.findings += diagnosis.of_plugins(loaded.reports)
    report.settings = settings = Settings.read(os.environ, **given)
    if not settings.url:
        raise ConfigurationError("no store is configured; set BIDLOCK_URL, or name one: bidlock doctor redis://host:6379/0")
    address = addresses.parse(settings.url)
    report.url = str(address)
    asyncio.run(_visit(report, loaded.backend(address.scheme), _config(settings, address)))
    if report.observed is not None:
        report.findings += diagnosis.of_store(report.observed, settings, loaded.backend(address.scheme).capabilities)


def _config(settings: Settings, address: addresses.Address) -> BackendConfig:
    return BackendConfig(
        address=address,
        owner=settings.policy or SELF,
        prefix=settings.prefix,
        buckets=settings.buckets,
        timeout=settings.store_timeout,
        original_keys=settings.original_keys,
    )


async def _visit(report: Report, spec: BackendSpec, config: BackendConfig) -> None:
    backend = spec.factory(config)
    try:
        await backend.open()
        report.observed = await backend.observe()
        before = time.perf_counter()
        await backend.inspect(_SCRATCH)
        report.round_trip_ms = round((time.perf_counter() - before) * 1000, 3)
    finally:
        await backend.close()
    report.findings.append(Finding("reached", Level.OK, f"{report.url} in {report.round_trip_ms} ms"))


def _subject(error: BidlockError) -> str:
    return "reached" if isinstance(error, BackendError) else "configuration"


def _remedy(error: BidlockError) -> str:
    return "start the store, or correct BIDLOCK_URL" if isinstance(error, BackendError) else ""


def _document(report: Report) -> dict[str, Any]:
    return {
        "healthy": report.code is ExitCode.OK,
        "exit_code": int(report.code),
        "url": report.url,
        "settings": _settings(report.settings),
        "store": _store(report.observed),
        "round_trip_ms": report.round_trip_ms,
        "clock": _now(),
        "findings": [dataclasses.asdict(finding) for finding in report.findings],
    }


def _settings(settings: Settings | None) -> dict[str, Any] | None:
    """Every setting but the URL, which is shown without its password elsewhere."""
    if settings is None:
        return None
    return {name: value for name, value in dataclasses.asdict(settings).items() if name != "url"}


def _store(observed: Observed | None) -> dict[str, Any] | None:
    if observed is None:
        return None
    facts = {f.name: getattr(observed, f.name) for f in dataclasses.fields(observed)}
    return {**facts, "modes": sorted(observed.modes), "details": dict(observed.details), "warnings": list(observed.warnings)}


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")


def _show(report: Report) -> None:
    output.table(("", "check", "found"), [(_SIGNS[f.level], f.check, f.detail) for f in report.findings])
    if report.observed is not None and report.observed.details:
        output.line()
        output.facts(sorted(report.observed.details.items()))
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
