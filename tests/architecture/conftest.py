"""The repository as values: its root, its members, its tracked files."""

from __future__ import annotations

import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


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
