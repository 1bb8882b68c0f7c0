"""What a user gets: wheels, installed outside the workspace, without its source tree.

Nothing is fetched: the wheels are built by the installed build backend, and third-party packages are lent by the
environment that runs the tests. Our own packages come from the wheels alone.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SITE = Path(sysconfig.get_paths()["purelib"])


def run(*command: object, cwd: Path) -> str:
    ended = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="session")
def wheels(all_members, tmp_path_factory) -> dict[str, Path]:
    """One wheel per distribution."""
    built = {}
    for member in all_members:
        out = tmp_path_factory.mktemp("wheel")
        run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, member.folder, cwd=out)
        (built[member.project["name"]],) = out.glob("*.whl")
    return built


class Environment:
    """An empty virtual environment."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=True)
        self.folder = folder
        self.site = Path(run(self.python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])", cwd=folder).strip())

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def install(self, *wheels: Path) -> None:
        run(
            self.python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-index",
            "--no-deps",
            *wheels,
            cwd=self.folder,
        )

    def lend(self, *names: str) -> None:
        """Lend single third-party packages."""
        for name in names:
            (self.site / name).symlink_to(SITE / name)

    def lend_all(self) -> None:
        """Lend every third-party package, but none of ours: path files (editable installs) are not followed twice."""
        (self.site / "lent.pth").write_text(f"{SITE}\n")

    def say(self, code: str) -> str:
        return run(self.python, "-c", code, cwd=self.folder).strip()


@pytest.fixture(scope="session")
def everything(wheels, tmp_path_factory) -> Environment:
    """All wheels in one environment."""
    environment = Environment(tmp_path_factory.mktemp("everything"))
    environment.install(*wheels.values())
    environment.lend_all()
    return environment


@pytest.fixture(scope="session")
def core_alone(wheels, tmp_path_factory) -> Environment:
    """`pip install bidlock` and nothing else."""
    environment = Environment(tmp_path_factory.mktemp("core"))
    environment.install(wheels["bidlock"])
    environment.lend("pluggy", "structlog", "typing_extensions.py")
    return environment


def test_every_wheel_imports_outside_the_workspace(member, everything):
    for package in member.packages:
        found = everything.say(f"import {package.name}; print({package.name}.__file__)")

        assert Path(found).is_relative_to(everything.folder)


def test_every_file_of_a_package_is_in_its_wheel(member, wheels, tracked):
    shipped = set(zipfile.ZipFile(wheels[member.project["name"]]).namelist())

    ours = {str(path.relative_to(member.folder / "src")) for path in tracked if path.is_relative_to(member.folder / "src")}
    assert not ours - shipped


def test_core_alone_works_without_any_client(core_alone):
    said = core_alone.say(
        "import bidlock, sys; print([m for m in ('redis', 'kopf', 'kubernetes', 'sqlite3', 'typer') if m in sys.modules])"
    )

    assert said == "[]"


@pytest.mark.parametrize(("url", "package"), [("redis://h", "bidlock[redis]"), ("sqlite:///x.db", "bidlock[sqlite]")])
def test_core_alone_says_what_to_install_for_a_url(url, package, core_alone):
    said = core_alone.say(
        f"import bidlock\ntry: bidlock.connect({url!r})\nexcept bidlock.UnknownBackend as error: print(error)",
    )

    assert f'pip install "{package}"' in said


def test_the_installed_plugins_are_found(everything):
    said = everything.say(
        "from bidlock import plugins\nfor r in plugins.load({}).reports: print(r.name, r.distribution, r.status, r.reason)",
    )

    assert {line.split()[0] for line in said.splitlines() if line.split()[2] == "loaded"} >= {"memory", "redis", "sqlite"}, said
