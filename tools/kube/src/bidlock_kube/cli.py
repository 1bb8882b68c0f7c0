"""`bidlock-kube`: build, start and stop a Kubernetes for tests."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from typing import Annotated

import typer

from bidlock_kube import clusters, programs
from bidlock_kube.assets import Assets, say
from bidlock_kube.errors import KubeError
from bidlock_kube.images import commands as image_commands
from bidlock_kube.nodetier import addresses, preflight

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


_PROGRAMS = {Tier.API: programs.API_TIER, Tier.NODE: programs.NODE_TIER}


@app.command()
def build(
    names: Annotated[list[str] | None, typer.Argument(metavar="[PROGRAM]…", help="Only these programs.")] = None,
    tier: Annotated[Tier, typer.Option(help="Everything that this tier needs.")] = Tier.NODE,
) -> None:
    """Build what is missing, and print where each program is. Nothing is built when KUBE_ASSETS names a folder of binaries."""
    assets = Assets.of(*(names or _PROGRAMS[tier]))
    for name, path in assets.paths.items():
        typer.echo(f"{name}\t{path}")


@app.command()
def up(
    tier: Annotated[
        Tier | None, typer.Option(help="How much of a cluster; by default nodes for root on Linux, else the API server alone.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where the API server listens; 0 is a free port.")] = 0,
    nodes: Annotated[int, typer.Option(min=1, max=addresses.MOST_NODES, help="How many nodes, in the node tier.")] = 1,
) -> None:
    """Start a cluster that stays, and print how to use it. Nothing happens when it is up."""
    chosen = tier or _possible_tier()
    cluster = clusters.up(chosen, say=say, port=port, **({"nodes": nodes} if chosen is Tier.NODE else {}))
    typer.echo(f"export KUBECONFIG={cluster.kubeconfig}")
    typer.echo(f"kubectl of the same version: {cluster.binary}", err=True)
    typer.echo(f"logs and audit log: {cluster.logs}", err=True)


@app.command()
def down() -> None:
    """Take the cluster away, and what killed test runs left: processes, files, and what it did to the machine."""
    if not clusters.down(say=say):
        typer.echo("no cluster was up", err=True)


@app.command()
def check(
    packages: Annotated[bool, typer.Option(help="Print the Debian packages that nodes lack here, and nothing else.")] = False,
) -> None:
    """Check that this machine can have nodes; say in one line what is missing and what to do."""
    if packages:
        typer.echo(" ".join(preflight.missing_packages()))
    else:
        preflight.check()


def _possible_tier() -> Tier:
    root = sys.platform == "linux" and os.geteuid() == 0
    return Tier.NODE if root and Tier.NODE in clusters.TIERS else Tier.API


image_commands.add_to(app)


def main() -> None:
    """Run the command line; an error of a cluster becomes a line on stderr and exit code 1."""
    try:
        app(prog_name="bidlock-kube")
    except KubeError as error:
        sys.exit(f"bidlock-kube: {error}")
