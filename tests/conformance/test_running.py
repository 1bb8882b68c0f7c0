"""How the kit behaves under pytest: its options, its report, and its silence where nobody asked for it."""

import json
import os
import subprocess
import sys
from importlib.metadata import version

import pytest

pytestmark = pytest.mark.slow

SOME = "test_one_posting_has_one_holder or cancelled_acquire or test_of_many"


def run(folder, *arguments, **variables):
    """Run pytest in the folder, without anything of this project's settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "BIDLOCK", "COV"))} | variables
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def written(folder, name="conformance.json"):
    return json.loads((folder / name).read_text())


def test_the_report_says_what_was_certified(tmp_path):
    run(tmp_path, "--bidlock-backend=memory", "--bidlock-seed=7", "-q")
    result = written(tmp_path)
    assert {name: result[name] for name in ("format", "verdict", "backend", "distribution", "version", "port", "seed")} == {
        "format": 1,
        "verdict": "passed",
        "backend": "memory",
        "distribution": "bidlock",
        "version": version("bidlock"),
        "port": 1,
        "seed": 7,
    }
    assert result["capabilities"]["scope"] == "process"
    assert set(result["versions"]) == {"bidlock", "hypothesis", "pytest", "python", "system"}


def test_what_is_left_out_has_a_reason(tmp_path):
    run(tmp_path, "--bidlock-backend=memory", "-q", "-k", "crash or network or killed or cut or holder")
    families = written(tmp_path)["variants"]["memory"]["families"]
    assert set(families["crash"]["left_out"].values()) == {"the backend's scope is one process", "the harness has no kill"}
    assert set(families["network"]["left_out"].values()) == {"the harness has no tcp"}
    assert families["leases"]["left_out"] == {}


def test_a_run_of_some_tests_certifies_nothing(tmp_path):
    run(tmp_path, "--bidlock-backend=memory", "-q", "-k", "test_one_posting_has_one_holder")
    assert written(tmp_path)["verdict"] == "partial"


def test_the_report_goes_where_it_is_wanted(tmp_path):
    run(tmp_path, "--bidlock-backend=memory", "--bidlock-report=result.json", "-q", "-k", "test_one_posting_has_one_holder")
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]


def test_the_report_stays_in_the_folder_of_the_run_where_pytests_root_is_above_it(tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    folder = tmp_path / "backend"
    folder.mkdir()

    run(folder, "--bidlock-backend=memory", "-q", "-k", "test_one_posting_has_one_holder")

    assert [path.name for path in folder.iterdir()] == ["conformance.json"]


def test_a_distributed_run_writes_one_report(tmp_path):
    done = run(tmp_path, "--bidlock-backend=memory", "-q", "-n", "2", "-k", SOME)
    assert done.returncode == 0, done.stdout
    families = written(tmp_path)["variants"]["memory"]["families"]
    assert {name: found["passed"] for name, found in families.items()} == {"leases": 1, "contention": 2, "cancellation": 4, "front": 1}


def test_the_kit_runs_instead_of_the_tests_of_the_folder(tmp_path):
    (tmp_path / "test_own.py").write_text("def test_apart(): assert False")
    done = run(tmp_path, "--bidlock-backend=memory", "-q", "-k", "test_apart or test_one_posting_has_one_holder")
    assert "1 passed" in done.stdout


def test_the_kit_runs_besides_what_the_command_line_names(tmp_path):
    (tmp_path / "test_own.py").write_text("def test_apart(): pass")
    done = run(tmp_path, "--bidlock-backend=memory", "-q", "-k", "test_apart or test_one_posting_has_one_holder", "test_own.py")
    assert "2 passed" in done.stdout


@pytest.mark.parametrize("mode", ["auto", "strict"])
def test_the_asyncio_mode_of_a_project_does_not_matter(tmp_path, mode):
    (tmp_path / "pytest.ini").write_text(
        f"[pytest]\nasyncio_mode = {mode}\nasyncio_default_fixture_loop_scope = function\nfilterwarnings = error\n"
    )
    done = run(tmp_path, "--bidlock-backend=memory", "-q", "-k", SOME)
    assert done.returncode == 0, done.stdout


def test_a_file_of_an_author_needs_one_fixture_and_one_import(tmp_path):
    (tmp_path / "test_mine.py").write_text(
        "import pytest\n"
        "from bidlock.testing.memory import MemoryHarness\n"
        "from bidlock.testing.suite import *\n"
        "@pytest.fixture(scope='session')\n"
        "def bidlock_harness(tmp_path_factory):\n"
        "    harness = MemoryHarness(tmp_path_factory.mktemp('store'), 'memory')\n"
        "    harness.start()\n"
        "    yield harness\n"
        "    harness.stop()\n"
    )
    done = run(tmp_path, "-q", "-k", SOME)
    assert done.returncode == 0, done.stdout
    assert "8 passed" in done.stdout
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["test_mine.py"]


def test_an_import_without_the_fixture_is_told_what_is_missing(tmp_path):
    (tmp_path / "test_mine.py").write_text("from bidlock.testing.suite import test_one_posting_has_one_holder\n")
    done = run(tmp_path, "-q")
    assert "write a fixture bidlock_harness" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--bidlock-backend=nosuch"], "no backend is called 'nosuch'; installed are:"),
        (["--bidlock-backend=memory", "--bidlock-variant=tape"], "no variant tape; there are: memory"),
    ],
)
def test_a_mistake_is_one_line(tmp_path, arguments, line):
    done = run(tmp_path, *arguments)
    assert done.returncode == 4
    assert done.stderr.count("\n") <= 2
    assert f"ERROR: {line}" in done.stderr


def test_a_missing_extra_is_one_line(tmp_path):
    (tmp_path / "hypothesis.py").write_text("raise ModuleNotFoundError('hypothesis')")
    done = run(tmp_path, "--bidlock-backend=memory", PYTHONPATH=str(tmp_path))
    assert done.returncode == 4
    assert 'ERROR: the conformance kit needs hypothesis; install it with: pip install "bidlock[testing]"' in done.stderr


def test_without_the_option_nothing_of_the_kit_is_imported(tmp_path):
    (tmp_path / "test_own.py").write_text(
        "import sys\n"
        "def test_own():\n"
        "    assert not [name for name in sys.modules if name.startswith('bidlock.testing') and name not in ('bidlock.testing', 'bidlock.testing.pytest_plugin')]\n"
    )
    done = run(tmp_path, "-q")
    assert done.returncode == 0, done.stdout


def test_a_backend_without_a_harness_is_told_so(tmp_path):
    folder = tmp_path / "site"
    info = folder / "bare-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bare\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[bidlock.backends.v1]\nbare = bare_plugin\n")
    (folder / "bare_plugin.py").write_text(
        "from bidlock.hookspecs import BackendSpec, hookimpl\n"
        "from bidlock import memory\n"
        "@hookimpl\n"
        "def bidlock_backends():\n"
        "    return [BackendSpec('bare', ('bare',), memory.MemoryBackend, memory.bidlock_backends()[0].capabilities)]\n"
    )
    done = run(tmp_path, "--bidlock-backend=bare", PYTHONPATH=str(folder))
    assert "backend 'bare' names no harness; set harness='module:Class' in its BackendSpec" in done.stderr
