"""Puts the model on the path, and shows in the summary how many states were seen."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def seen(record_property):
    """Note a result for the summary; it also reaches it from a worker of pytest-xdist."""

    def note(result) -> None:
        record_property("model", [result.states, result.seconds])

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line: runs, states, processor time."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    seen = [value for report in reports for name, value in getattr(report, "user_properties", ()) if name == "model"]
    if seen:
        states, seconds = sum(value[0] for value in seen), sum(value[1] for value in seen)
        terminalreporter.write_line(f"model: {len(seen)} runs, {states:,} states, {seconds:.0f} s of one core")
