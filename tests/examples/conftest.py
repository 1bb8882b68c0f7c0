"""Real processes of the examples, started for one test and gone after it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 30.0
"""Seconds after which something that never comes fails the test."""


def eventually(look: Callable[[], Any]) -> Any:
    """Look again until there is something to see."""
    until = time.monotonic() + PATIENCE
    while not (seen := look()):
        assert time.monotonic() < until, f"nothing after {PATIENCE} s"
        time.sleep(0.02)
    return seen


class Process:
    """`python -m module …`, its log in a file."""

    def __init__(
        self, module: str, *arguments: object, log: Path, environment: dict[str, str] | None = None, stdin: Any = subprocess.DEVNULL
    ):
        self.log = log
        plain = {name: value for name, value in os.environ.items() if not name.startswith("BIDLOCK_")}
        with log.open("wb") as out:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", module, *map(str, arguments)],
                env={**plain, **(environment or {})},
                stdin=stdin,
                stdout=out,
                stderr=out,
            )

    def events(self, name: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{") and line.endswith("}")]
        return [line for line in lines if line.get("event") == name]

    def end(self) -> int:
        return self.popen.wait(PATIENCE)

    def stop(self) -> None:
        self.popen.kill()
        self.popen.wait()


class Market:
    def __init__(self, url: str, process: Process):
        self.url, self.process = url, process

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path) as answer:
            return json.load(answer)

    def post(self, body: Any) -> int:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url + "/bids", raw)) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            with error:
                return error.code


@pytest.fixture
def run(tmp_path) -> Iterator[Callable[..., Process]]:
    """Start a process of an example."""
    running: list[Process] = []

    def start(module: str, *arguments: object, **options: Any) -> Process:
        running.append(Process(module, *arguments, log=tmp_path / f"{module}-{len(running)}.log", **options))
        return running[-1]

    yield start
    for process in running:
        process.stop()


@pytest.fixture
def open_market(run, tmp_path) -> Callable[..., Market]:
    """Start a marketplace and return when it takes bids."""

    def start(*arguments: object) -> Market:
        port_file = tmp_path / "port"
        port_file.unlink(missing_ok=True)
        process = run("example_marketplace", "--port", 0, "--port-file", port_file, *arguments)
        eventually(port_file.exists)
        return Market(f"http://127.0.0.1:{port_file.read_text().strip()}", process)

    return start


@pytest.fixture(name="eventually")
def _eventually() -> Callable[[Callable[[], Any]], Any]:
    return eventually
