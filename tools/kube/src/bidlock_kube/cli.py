"""`bidlock-kube`: build, start and stop a Kubernetes for tests."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from bidlock_kube import programs
from bidlock_kube.assets import Assets
from bidlock_kube.errors import KubeError
from bidlock_kube.images import commands as image_commands

app = typer.Typer(
    name="bidlock-kube",
    help="A real Kubernetes to test against, without a container engine or an image registry.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Tier(StrEnum):
    """How much of a cluster."""

    API = "api"
    NODE = "node"


_TIERS = {Tier.API: programs.API_TIER, Tier.NODE: programs.NODE_TIER}


@app.callback()
def root() -> None:
    """Keep `build` a command of its own while it is the only one."""


@app.command()
def build(
    names: Annotated[list[str] | None, typer.Argument(metavar="[PROGRAM]…", help="Only these programs.")] = None,
    tier: Annotated[Tier, typer.Option(help="Everything that this tier needs.")] = Tier.NODE,
) -> None:
    """Build what is missing, and print where each program is. Nothing is built when KUBE_ASSETS names a folder of binaries."""
    assets = Assets.of(*(names or _TIERS[tier]))
    for name, path in assets.paths.items():
        typer.echo(f"{name}\t{path}")


image_commands.add_to(app)


def main() -> None:
    """Run the command line; an error of a cluster becomes a line on stderr and exit code 1."""
    try:
        app(prog_name="bidlock-kube")
    except KubeError as error:
        sys.exit(f"bidlock-kube: {error}")
