"""`bidlock-kube images` and `bidlock-kube contexts`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bidlock_kube.assets import say
from bidlock_kube.images import catalogue, contexts, making


def images(
    roles: Annotated[list[str] | None, typer.Argument(metavar="[ROLE]…", help="Only these images.")] = None,
) -> None:
    """Build the images of the test cluster with buildah, on a base of Debian packages, and print their names. Needs root."""
    for role, name in making.make(roles or catalogue.CATALOGUE, say=say).items():
        typer.echo(f"{role}\t{name}")


def contexts_(
    folder: Annotated[Path, typer.Option(help="Each image's context gets a folder of its own in here.")] = Path("dist/images"),
    python: Annotated[str, typer.Option(help="Python of the base image that you take.")] = contexts.PYTHON,
) -> None:
    """Lay out what our Dockerfiles copy from, pinned by requirements.lock, and print how to build each with Docker."""
    for role in catalogue.APPLICATIONS:
        recipe = catalogue.CATALOGUE[role]
        contexts.renew(contexts.collect(recipe, python), folder / role)
        base = "" if python == contexts.PYTHON else f" --build-arg BASE=python:{python}-slim"
        typer.echo(f"docker build -f {recipe.dockerfile.relative_to(catalogue.CHECKOUT)} -t bidlock/{role}{base} {folder / role}")


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(images)
    app.command("contexts")(contexts_)
