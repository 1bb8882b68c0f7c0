"""The page that explains how to write a backend, followed to the letter."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "write-a-backend.md").read_text()
BIDLOCK = Path(sys.executable).with_name("bidlock")
SOME = "test_one_posting_has_one_holder or test_processes or cancelled_acquire or claimed_stays_done or fails_changes_nothing"


def block(language, containing):
    """The page's code block of a language that contains a text."""
    (found,) = [text for kind, text in re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL) if kind == language and containing in text]
    return found


@pytest.fixture
def folder(tmp_path):
    """The distribution as its author has it after step 4; installed by a folder of metadata, since pip needs an index."""
    (command,) = re.findall(r"\$ bidlock (new-plugin \S+)", PAGE)
    subprocess.run([BIDLOCK, *command.split()], cwd=tmp_path, check=True)
    folder = tmp_path / re.findall(r"\$ cd (\S+)", PAGE)[0]
    package = folder / "src" / "bidlock_tapes"
    package.joinpath("store.py").write_text(block("python", "class Store"))
    package.joinpath("harness.py").write_text(block("python", "class TapesHarness"))
    info = folder / "src" / "bidlock_tapes-0.1.0.dist-info"
    info.mkdir()
    entry = block("toml", "entry-points")
    assert entry in (folder / "pyproject.toml").read_text()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bidlock-tapes\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text(entry.replace('project.entry-points."', "").replace('"', ""))
    return folder


def pytest_in(folder, *arguments):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "BIDLOCK", "COV"))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", SOME, *arguments]
    return subprocess.run(command, cwd=folder, env=environment | {"PYTHONPATH": "src"}, capture_output=True, text=True, check=False)


def test_its_command_certifies_its_backend(folder):
    (command,) = set(re.findall(r"\$ pytest (--bidlock-backend=\S+)", PAGE))
    done = pytest_in(folder, command)
    assert done.returncode == 0, done.stdout
    result = json.loads((folder / "conformance.json").read_text())
    assert (result["backend"], result["distribution"]) == ("tapes", "bidlock-tapes")
    assert result["variants"]["tapes"]["families"]["crash"]["passed"] == 2


def test_its_test_file_runs_the_kit(folder):
    (folder / "tests" / "test_conformance.py").write_text(block("python", "import pytest"))
    done = pytest_in(folder)
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout


def test_every_option_it_names_exists(folder):
    known = pytest_in(folder, "--help").stdout
    assert [option for option in re.findall(r"--bidlock-\w+", PAGE) if option not in known] == []
