"""The wheel of core alone in an empty environment: what its script and its drop-in say about what is missing.

Nothing is fetched: the two libraries that core needs are lent by the environment that runs the tests.
"""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

import bidlock

pytestmark = pytest.mark.slow

CORE = next(parent for parent in Path(bidlock.__file__).parents if (parent / "pyproject.toml").exists())
SITE = Path(sysconfig.get_paths()["purelib"])


def run(*command, cwd):
    return subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The `bin` folder of an environment with the wheel, pluggy and structlog."""
    folder = tmp_path_factory.mktemp("alone")
    built = run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, CORE, cwd=folder)
    assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "env", with_pip=True)
    python = folder / "env" / "bin" / "python"
    installed = run(python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", wheel, cwd=folder)
    assert installed.returncode == 0, installed.stderr
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])", cwd=folder).stdout.strip())
    for lent in ("pluggy", "structlog", "typing_extensions.py"):
        (site / lent).symlink_to(SITE / lent)
    return python.parent


def test_the_script_without_its_libraries_says_what_to_install(alone):
    ran = run(alone / "bidlock", "plugins", cwd=alone)

    assert ran.returncode == 1
    assert ran.stderr == 'bidlock: the command line needs typer and rich; install it with: pip install "bidlock[cli]"\n'


@pytest.mark.parametrize(("manager", "package"), [("RedisBidLockManager()", "bidlock[redis]"), ("BidLockManager()", "bidlock[sqlite]")])
def test_the_drop_in_without_a_backend_says_what_to_install(alone, tmp_path, manager, package):
    code = (
        "import asyncio, bidlock.legacy as legacy\n"
        f"async def main(): await legacy.{manager}.acquire_lock('upwork', '1')\n"
        "try: asyncio.run(main())\n"
        "except Exception as error: print(type(error).__name__, error)"
    )

    ran = run(alone / "python", "-c", code, cwd=tmp_path)

    assert ran.stdout.startswith("UnknownBackend"), ran.stderr
    assert f'pip install "{package}"' in ran.stdout


def test_importing_bidlock_imports_no_command_line_and_no_client(alone, tmp_path):
    """Also where they are installed: this runs in the environment of the tests."""
    code = "import sys, bidlock, bidlock.legacy; print([m for m in ('typer', 'redis', 'kopf', 'kubernetes', 'bidlock.cli') if m in sys.modules])"

    assert run(sys.executable, "-c", code, cwd=tmp_path).stdout == "[]\n"
