"""`bidlock plugins`: what was found, what was loaded, and why the rest was not."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from bidlock import plugins as core
from bidlock.cli import external, output
from bidlock.cli.options import AsJson
from bidlock.hookspecs import BackendSpec
from bidlock.plugins import PluginReport


def plugins(as_json: AsJson = False) -> None:
    """List the plugins: loaded, refused, broken or blocked, and what each brings."""
    reports = core.load().reports
    if as_json:
        output.as_json({"plugins": [_plugin(report) for report in reports], "commands": _commands()})
        return
    output.table(("plugin", "from", "status", "serves"), [_row(report) for report in reports])
    for report in reports:
        if report.reason:
            output.line(f"{report.name} ({report.distribution} {report.version}) is {report.status}: {report.reason}")


def _row(report: PluginReport) -> tuple[str, str, str, str]:
    schemes = " ".join(f"{scheme}://" for spec in report.backends for scheme in spec.schemes)
    return report.name, f"{report.distribution} {report.version}", report.status, schemes


def _plugin(report: PluginReport) -> dict[str, Any]:
    return {
        "name": report.name,
        "distribution": report.distribution,
        "version": report.version,
        "status": report.status,
        "reason": report.reason,
        "backends": [_backend(spec) for spec in report.backends],
    }


def _backend(spec: BackendSpec) -> dict[str, Any]:
    return {"name": spec.name, "schemes": list(spec.schemes), "port": spec.port, "capabilities": asdict(spec.capabilities)}


def _commands() -> list[dict[str, str]]:
    commands = sorted(external.found().items())
    return [{"name": name, "distribution": command.distribution, "version": command.version} for name, command in commands]
