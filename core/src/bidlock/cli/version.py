"""`bidlock version`: what is installed here."""

from __future__ import annotations

import platform
from importlib import metadata

from bidlock import hookspecs
from bidlock.backend import FORMAT
from bidlock.cli import external, output
from bidlock.cli.options import AsJson


def version(as_json: AsJson = False) -> None:
    """Show the versions of bidlock, of what is plugged into it, and of Python."""
    facts = {
        "bidlock": metadata.version("bidlock"),
        "python": platform.python_version(),
        "port": hookspecs.PORT_VERSION,
        "format": FORMAT,
        "distributions": distributions(),
    }
    if as_json:
        output.as_json(facts)
        return
    output.line(f"bidlock {facts['bidlock']} (port {facts['port']}, format {facts['format']}, Python {facts['python']})")
    for name, installed in distributions().items():
        output.line(f"{name} {installed}")


def distributions() -> dict[str, str]:
    """Distributions that plug into bidlock, by name; read without importing them."""
    entries = [*metadata.entry_points(group=hookspecs.GROUP), *metadata.entry_points(group=external.GROUP)]
    installed = {entry.dist.name: entry.dist.version for entry in entries if entry.dist and entry.dist.name != "bidlock"}
    return dict(sorted(installed.items()))
