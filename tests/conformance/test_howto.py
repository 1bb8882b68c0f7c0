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
SOME = "test_one_posting_has_one_holder or test_processes or cancelled_acquire"


def block(language, containing):
    """The page's code block of a language that contains a text."""
    (found,) = [text for kind, text in re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL) if kind == language and containing in text]
    return found


@pytest.fixture
def folder(tmp_path):
    package = tmp_path / "bidlock_tapes"
    package.mkdir()
    (package / "__init__.py").write_text(block("python", "def bidlock_backends"))
    (package / "harness.py").write_text(block("python", "class TapeHarness"))
    # The page leaves the port itself to its reader; the example's will do.
    (package / "backend.py").write_text("from example_backend import FilesBackend as TapeBackend\n")
    entry = re.search(r'\[project\.entry-points\."(.+)"\]\n(\w+) = "(\w+)"', block("toml", "entry-points"))
    info = tmp_path / "bidlock_tapes-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bidlock-tapes\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text(f"[{entry[1]}]\n{entry[2]} = {entry[3]}\n")
    return tmp_path


def pytest_in(folder, *arguments):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "BIDLOCK", "COV"))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", SOME, *arguments]
    return subprocess.run(command, cwd=folder, env=environment | {"PYTHONPATH": str(folder)}, capture_output=True, text=True, check=False)


def test_its_command_certifies_its_backend(folder):
    (command,) = re.findall(r"\$ pytest (--bidlock-backend=\S+)", PAGE)
    done = pytest_in(folder, command)
    assert done.returncode == 0, done.stdout
    result = json.loads((folder / "conformance.json").read_text())
    assert (result["backend"], result["distribution"]) == ("tapes", "bidlock-tapes")
    assert result["variants"]["tape"]["families"]["crash"]["passed"] == 1


def test_its_test_file_runs_the_kit(folder):
    (folder / "test_kit.py").write_text(block("python", "import pytest"))
    done = pytest_in(folder)
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout


def test_every_option_it_names_exists(folder):
    known = pytest_in(folder, "--help").stdout
    assert [option for option in re.findall(r"--bidlock-\w+", PAGE) if option not in known] == []
