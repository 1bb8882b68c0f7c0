"""Puts the model on the path."""

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
