"""What an observed store means for this client: pure, so that every finding can be tested."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from bidlock.backend import FORMAT, SELF, Capabilities, Observed
from bidlock.plugins import PluginReport
from bidlock.settings import MARGIN_RATE, Settings


class Level(enum.StrEnum):
    """How much a finding matters."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: What was looked at.
        level: How much it matters; any `failed` means that this client cannot bid.
        detail: What was found.
        remedy: What to do about it; empty when nothing has to be done.
        store: URL of the store it is about, without its password; empty when it is about none.
    """

    check: str
    level: Level
    detail: str
    remedy: str = ""
    store: str = ""


def of_plugins(reports: Iterable[PluginReport]) -> Iterator[Finding]:
    """Plugins that were not loaded, though nobody forbade them."""
    for report in reports:
        if report.status in ("broken", "refused"):
            detail = f"{report.name} ({report.distribution} {report.version}) is {report.status}: {report.reason}"
            yield Finding("plugin", Level.WARNING, detail, f"update or uninstall {report.distribution or report.name}")


def of_store(observed: Observed, settings: Settings, capabilities: Capabilities, mode: str, url: str) -> Iterator[Finding]:
    """What a store says about itself, seen with this client's settings and its mode (empty: it is not asked to admit one)."""
    for finding in _of_store(observed, settings, capabilities, mode):
        yield replace(finding, store=url)


def healthy(findings: Iterable[Finding]) -> bool:
    """Whether this client can bid."""
    return all(finding.level is not Level.FAILED for finding in findings)


def _of_store(observed: Observed, settings: Settings, capabilities: Capabilities, mode: str) -> Iterator[Finding]:
    yield from _of_meta(observed, settings)
    if observed.initialised:
        yield _of_format(observed, settings)
        if mode:
            yield _of_mode(observed, mode)
        yield from _of_times(observed, settings)
        yield _of_durability(observed, capabilities)
    if observed.watermark_ms:
        detail = f"postings created up to {observed.watermark_ms} (Unix ms), or without posted_at, are refused"
        yield Finding("watermark", Level.WARNING, detail, "pass posted_at with every posting")
    for warning in observed.warnings:
        yield Finding("store", Level.WARNING, warning)


def _of_meta(observed: Observed, settings: Settings) -> Iterator[Finding]:
    wanted = settings.policy or SELF
    if not observed.initialised:
        if settings.policy:
            yield Finding(
                "meta", Level.FAILED, "the store is not initialised", "only the operator or `bidlock migrate` initialises a managed store"
            )
        else:
            yield Finding("meta", Level.OK, "the store is empty; the first client initialises it")
        return
    if observed.owner == wanted:
        yield Finding("owner", Level.OK, f"{observed.owner}, as configured")
    else:
        remedy = (
            "unset BIDLOCK_POLICY, or use the fleet's store"
            if observed.owner == SELF
            else f"set BIDLOCK_POLICY={observed.owner}, or use another store"
        )
        yield Finding("owner", Level.FAILED, f"the store belongs to {observed.owner!r}, this client to {wanted!r}", remedy)
    if observed.live:
        yield Finding("live", Level.OK, "open")
    elif settings.policy:
        yield Finding("live", Level.FAILED, "restarted or replaced, and not opened again", "the operator opens it; see its conditions")
    else:
        yield Finding("live", Level.OK, "restarted; the next client opens it again")


def _of_format(observed: Observed, settings: Settings) -> Finding:
    if observed.format != FORMAT:
        return Finding(
            "format", Level.FAILED, f"layout {observed.format}, this version writes {FORMAT}", "use the fleet's version of bidlock"
        )
    if observed.buckets != settings.buckets:
        detail = f"{observed.buckets} buckets, this client uses {settings.buckets}"
        return Finding("format", Level.FAILED, detail, f"set BIDLOCK_BUCKETS={observed.buckets}")
    return Finding("format", Level.OK, f"{observed.format}, buckets {observed.buckets}")


def _of_mode(observed: Observed, mode: str) -> Finding:
    admitted = ", ".join(sorted(observed.modes)) or "none"
    if mode in observed.modes:
        return Finding("mode", Level.OK, f"{mode} is admitted")
    return Finding(
        "mode", Level.FAILED, f"the store admits {admitted}, not {mode}", "the fleet is changing phase, or BIDLOCK_MODE is wrong"
    )


def _of_times(observed: Observed, settings: Settings) -> Iterator[Finding]:
    margin = observed.margin_ms / 1000
    lowest = 3 * margin / (1 - 3 * MARGIN_RATE)
    highest = observed.ttl_max_ms / 1000
    if not lowest <= settings.ttl <= highest:
        yield Finding("ttl", Level.FAILED, f"{settings.ttl:g} s is outside {lowest:.3g}–{highest:g} s", "set BIDLOCK_TTL between the two")
    else:
        yield Finding("ttl", Level.OK, f"{settings.ttl:g} s, margin {margin:g} s + {MARGIN_RATE:.0%}")


def _of_durability(observed: Observed, capabilities: Capabilities) -> Finding:
    if observed.durable:
        return Finding("durability", Level.OK, "acknowledged writes survive a crash of the store")
    remedy = (
        "fit for tests only; use sqlite:// or redis:// for bids"
        if capabilities.durability == "volatile"
        else "Redis: appendonly yes and appendfsync always; until then a crash may allow a second bid"
    )
    return Finding("durability", Level.WARNING, "acknowledged writes may be lost when the store crashes", remedy)
