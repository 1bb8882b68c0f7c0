"""The repository as values: its root, its members, its tracked files; and what a user gets of it, wheels in an empty environment."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tomllib
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SITE = Path(sysconfig.get_paths()["purelib"])


@dataclass(frozen=True)
class Member:
    """One distribution of the workspace."""

    folder: Path
    project: dict

    @property
    def packages(self) -> list[Path]:
        return [path for path in (self.folder / "src").iterdir() if path.is_dir() and path.name.isidentifier()]


def members() -> list[Member]:
    workspace = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["workspace"]["members"]
    files = sorted(file for pattern in workspace for file in ROOT.glob(f"{pattern}/pyproject.toml"))
    return [Member(file.parent, tomllib.loads(file.read_text())["project"]) for file in files]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `member` runs once for each."""
    if "member" in metafunc.fixturenames:
        metafunc.parametrize("member", members(), ids=lambda member: member.project["name"])


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def all_members() -> list[Member]:
    return members()


@pytest.fixture(scope="session")
def tracked() -> list[Path]:
    """Every file under version control that exists, from the repository's root."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="session")
def pages(tracked: list[Path]) -> list[Path]:
    """Every tracked Markdown page."""
    return [path for path in tracked if path.suffix == ".md"]


def run(*command: object, cwd: Path) -> str:
    """Run it as a user would: with nothing of this run of pytest in its environment."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON", "BIDLOCK", "COV"))}
    ended = subprocess.run([str(part) for part in command], cwd=cwd, env=clean, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="session")
def build_wheel(tmp_path_factory) -> Callable[[Path], Path]:
    """Builds the wheel of a distribution, fetching nothing."""

    def build(folder: Path) -> Path:
        out = tmp_path_factory.mktemp("wheel")
        run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, folder, cwd=out)
        (wheel,) = out.glob("*.whl")
        return wheel

    return build


@pytest.fixture(scope="session")
def wheels(all_members, build_wheel) -> dict[str, Path]:
    """One wheel per distribution."""
    return {member.project["name"]: build_wheel(member.folder) for member in all_members}


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

    def run(self, *arguments: object, cwd: Path) -> str:
        return run(self.python, *arguments, cwd=cwd)

    def say(self, code: str) -> str:
        return self.run("-c", code, cwd=self.folder).strip()


@pytest.fixture(scope="session")
def new_environment(tmp_path_factory) -> Callable[[str], Environment]:
    """Makes an empty virtual environment in a folder of this name."""
    return lambda name: Environment(tmp_path_factory.mktemp(name))


@pytest.fixture(scope="session")
def everything(wheels, new_environment) -> Environment:
    """All wheels in one environment."""
    environment = new_environment("everything")
    environment.install(*wheels.values())
    environment.lend_all()
    return environment
