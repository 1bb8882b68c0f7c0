"""`bidlock new-plugin`: a backend's distribution from the template, green from the first minute."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import bidlock
from bidlock.cli import output
from bidlock.errors import ConfigurationError

TEMPLATE = Path(bidlock.__file__).parent / "templates" / "backend"
INSTALL = 'pip install "bidlock[scaffold]"'


def new_plugin(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the backend is called, for example postgres.")],
    into: Annotated[Path, typer.Option("--into", metavar="FOLDER", help="Where its folder is made.")] = Path(),
    scheme: Annotated[str, typer.Option("--scheme", metavar="TEXT", help="The URL scheme it serves; else NAME.")] = "",
) -> None:
    """Make a new backend: a distribution with the port filled, a harness and tests, all green."""
    answers = {"name": name, "bidlock": bounds(bidlock.__version__)} | ({"scheme": scheme} if scheme else {})
    folder = into / f"bidlock-{name.replace('_', '-')}"
    if folder.exists():
        raise ConfigurationError(f"{folder} exists; move it away, or choose another folder with --into")
    fill_in(folder, answers)
    output.line(f"made {folder}; what to fill is marked FILL. Next:")
    output.line(f"  cd {folder}")
    output.line('  pip install -e ".[test]"')
    output.line(f"  pytest --bidlock-backend={name}")


def fill_in(folder: Path, answers: dict[str, Any]) -> None:
    """Fill the template in.

    Raises:
        ConfigurationError: copier is missing, or an answer is refused.
    """
    try:
        from copier import run_copy  # half a second, and only needed here
        from copier.errors import UserMessageError
    except ModuleNotFoundError:
        raise ConfigurationError(f"templates are filled in by copier, which is not installed: {INSTALL}") from None
    try:
        run_copy(str(TEMPLATE), folder, data=answers, defaults=True, quiet=True)
    except (UserMessageError, ValueError, OSError) as error:
        raise ConfigurationError(f"{folder} could not be made: {error}") from error


def bounds(version: str) -> str:
    """The versions of bidlock that speak the same port as this one: its minor version."""
    major, minor, *_ = version.split(".")
    return f">={major}.{minor},<{major}.{int(minor) + 1}"
