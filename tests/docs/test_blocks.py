"""Every code block of every page that can run is run, page by page, from top to bottom, in a folder of its own.

What a command needs of the world is given to it: a real Redis behind the name on the page, free ports, a folder in place of
`/data`. A command that cannot be run in a test is checked as far as it can be, and stands in `LOOKED_AT`; nothing is left out.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser

pytestmark = [pytest.mark.slow, pytest.mark.servers]

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PAGES = [
    ROOT / name
    for name in subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    if re.search(r"^ *```(python|console|sh)\n", (ROOT / name).read_text(), re.MULTILINE)
]
FOLLOWED = {"README.md": "tests/architecture/test_pages.py", "docs/how-to/write-a-backend.md": "tests/conformance/test_howto.py"}
"""Pages whose Python is run by a test of their own."""

ASSUMED = """
import bidlock, types, datetime
class Marketplace:
    async def bid(self, *about, **with_): return "bid"
    place = bid
async def place(lease): return "bid"
marketplace, amount, now = Marketplace(), 100, datetime.datetime.now(datetime.UTC)
jobs = [types.SimpleNamespace(marketplace="upwork", id=f"~0{n}", amount=100, created=now, posted_at=now) for n in (1, 2)]
job = jobs[0]
locks = bidlock.connect()
"""
"""What a bot has before it meets bidlock, for pages that show some lines of one."""


class Page:
    """What the blocks of one page share: a folder, an environment, names."""

    def __init__(self, folder: Path, words: dict[str, str]) -> None:
        self.folder, self.words = folder, words
        self.names: dict[str, object] = {"__name__": "page"}
        self.script: list[str] = []
        self.runner = asyncio.Runner()
        (folder / ".venv").symlink_to(BIN.parent)
        (folder / ".curlrc").write_text("retry = 50\nretry-delay = 1\nretry-connrefused\n")  # a server in the background takes a moment
        (folder / "postings.jsonl").write_text('{"marketplace": "upwork", "id": "~01ab", "title": "Page", "budget": 250}\n')
        (folder / "bid.sh").write_text("#!/bin/sh\n")
        (folder / "bid.sh").chmod(0o755)

    def python(self, example: Example) -> None:
        if '"__main__"' in example.parsed:
            return self.run([sys.executable, "-c", str(example.parsed)])
        code = compile(example.parsed, example.path, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        done = eval(code, self.names)
        if done is not None:
            self.runner.run(done)
        return None

    def console(self, example: Example) -> None:
        for command, given in commands(example.parsed):
            text = self.real(command)
            if "--watch" in command:  # it stays until it is ended
                text = f"{text} & watching=$!; sleep 2; kill $watching"
            look = next((look for pattern, look in LOOKED_AT.items() if re.match(pattern, command)), None)
            if look:
                look(command)
            else:
                self.script += [f"cat <<'END' {text.removeprefix('cat ')}\n{given}\nEND"] if given else [text]

    def finish(self) -> None:
        """Run the page's commands, one shell for all of them; end what they left in the background, and a cluster that they left up."""
        if self.script:
            script = "set -eu -o pipefail\n" + "\n".join(self.script)
            try:
                self.run(["bash", "-c", script])
            finally:
                if (self.folder / "clusters").exists():
                    self.run(["bidlock-kube", "down"])

    def run(self, command: list[str]) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("BIDLOCK_")}
        environment["BIDLOCK_URL"] = "sqlite:///page.db"
        if "bidlock migrate" in command[-1]:  # it waits for leases to run out, five minutes with the usual settings
            environment |= {"BIDLOCK_TTL": "1", "BIDLOCK_TTL_MAX": "1", "BIDLOCK_MARGIN": "0.1"}
        environment["KUBE_RUNS"] = str(self.folder / "clusters")
        environment["PATH"] = f"{BIN}:{environment['PATH']}"
        environment["CURL_HOME"] = str(self.folder)
        output = self.folder / "output"
        with output.open("w") as file:
            child = subprocess.Popen(
                command, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
            )
        try:
            code = child.wait(60)
        finally:
            with contextlib.suppress(ProcessLookupError):  # nothing was left in the background
                os.killpg(child.pid, signal.SIGKILL)
        assert code == 0, f"{command[-1]}\n\n{output.read_text()}"

    def real(self, command: str) -> str:
        for word, place in self.words.items():
            command = command.replace(word, place)
        return command


def commands(text: str) -> list[tuple[str, str]]:
    """The commands of a block, each with the lines that are typed into it (below `$ cat > file`)."""
    if "$ " not in text:
        return [(line.partition("  #")[0].strip(), "") for line in text.splitlines() if line.strip()]
    found: list[tuple[str, str]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:].partition("  #")[0].strip(), ""))
        elif found and found[-1][0].startswith("cat >"):
            found[-1] = (found[-1][0], f"{found[-1][1]}{line}\n")
    return found


def make_knows(command: str) -> None:
    subprocess.run(["make", "--dry-run", *shlex.split(command, comments=True)[1:]], cwd=ROOT, check=True, capture_output=True)


def can_be_installed(command: str) -> None:
    """The distributions and extras are ours, or the folder at hand."""
    for word in shlex.split(command)[2:]:
        name, _, extras = word.partition("[")
        if name in ("-e", "."):
            continue
        files = [*ROOT.glob("*/pyproject.toml"), *ROOT.glob("*/*/pyproject.toml")]
        (project,) = [found for file in files if (found := tomllib.loads(file.read_text())["project"])["name"] == name]
        wanted = [extra for extra in extras.rstrip("]").split(",") if extra]
        assert not set(wanted) - set(project.get("optional-dependencies", {})), command


def has_its_options(command: str) -> None:
    """For what takes minutes and has tests of its own."""
    words = shlex.split(command)
    told = subprocess.run([BIN / words[0], words[1], "--help"], capture_output=True, text=True, check=True).stdout
    assert not [word for word in words if word.startswith("--") and word.partition("=")[0] not in told]


def nothing(command: str) -> None:
    """It changes the reader's machine, or needs one that is not here."""


LOOKED_AT: dict[str, Callable[[str], None]] = {
    r"make ": make_knows,
    r"pip install ": can_be_installed,
    r"bidlock (bench|demo)": has_its_options,
    r"pytest --bidlock-backend": nothing,  # some minutes; run by tests/conformance and tests/architecture/test_new_plugin.py
    r"git clone": nothing,
    r"(for image in|kubectl|helm|kind|docker|kopf|bidlock-operator|redis-cli)\b": nothing,
}


@pytest.fixture
def words(tmp_path, redis_url, free_port) -> dict[str, str]:
    """What stands on pages, and what stands in its place here."""
    return {
        "/data/": f"{tmp_path}/data/",
        "redis://redis.internal:6379/0": redis_url,
        "8080": str(free_port),
        "6443": str(free_port),
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_code_of_a_page_runs(page, tmp_path, words, monkeypatch):
    folder = tmp_path / "page"
    folder.mkdir()
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("BIDLOCK_URL", "sqlite:///page.db")
    shared = Page(folder, words)
    exec(ASSUMED, shared.names)
    python = (lambda example: None) if str(page.relative_to(ROOT)) in FOLLOWED else shared.python
    parsers = [CodeBlockParser("python", python), CodeBlockParser("console", shared.console), CodeBlockParser("sh", shared.console)]
    with shared.runner:
        shared.runner.run(shared.names["locks"].__aenter__())
        for example in Sybil(parsers).parse(page):
            example.evaluate()
        shared.runner.run(shared.names["locks"].__aexit__(None, None, None))
    shared.finish()


@pytest.mark.parametrize(("page", "test"), FOLLOWED.items())
def test_the_test_that_follows_a_page_reads_it(page, test):
    assert Path(page).name in (ROOT / test).read_text()
