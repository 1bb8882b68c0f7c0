import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

BIDLOCK = Path(sys.executable).with_name("bidlock")


@dataclass(frozen=True)
class Ran:
    """How one command line ended."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch):
    for name in [name for name in os.environ if name.startswith("BIDLOCK_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def cli(monkeypatch, capfd):
    """Run a command line in this process, so that memory stores are shared with the test."""
    from bidlock.cli import app

    # Whoever runs the tests keeps their logging.
    monkeypatch.setattr("bidlock.cli.logs.configure", lambda debug: None)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["bidlock", *arguments])
        code = app.run()
        return Ran(code, *capfd.readouterr())

    return run


@pytest.fixture
def process(monkeypatch):
    """Run the installed console script, in a process of its own."""

    def run(*arguments, **environment):
        done = subprocess.run(
            [BIDLOCK, *arguments], env={**os.environ, **environment}, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return run
