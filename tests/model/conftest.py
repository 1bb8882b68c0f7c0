"""Puts the model on the path, and shows in the summary how much was seen."""

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
    """What the model saw, and what was replayed on real stores, a line each."""
    if seen := _noted(terminalreporter, "model"):
        states, seconds = sum(value[0] for value in seen), sum(value[1] for value in seen)
        terminalreporter.write_line(f"model: {len(seen)} runs, {states:,} states, {seconds:.0f} s of one core")
    if replayed := _noted(terminalreporter, "replayed"):
        runs, steps, probes = (sum(value[column] for value in replayed) for column in range(3))
        terminalreporter.write_line(
            f"replayed on real stores: {runs} runs, {steps:,} steps, {probes:,} more questions, every answer the same"
        )


def _noted(terminalreporter: pytest.TerminalReporter, what: str) -> list:
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    return [value for report in reports for name, value in getattr(report, "user_properties", ()) if name == what]
