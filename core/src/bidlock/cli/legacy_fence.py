"""`bidlock migrate legacy-fence`: original bots beside new ones, made to obey by triggers in their own table."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer

from bidlock import plugins
from bidlock.cli import output
from bidlock.errors import ConfigurationError
from bidlock.migration import connecting
from bidlock.migration.port import FencesOriginalBots, OriginStore, Outcome
from bidlock.migration.registerfile import RegisterFile
from bidlock.migration.sight import LEGACY
from bidlock.modes import Role
from bidlock.settings import Settings

app = typer.Typer(no_args_is_help=True)

Register = Annotated[Path, typer.Option("--register", metavar="FILE", help="The fleet's register.")]
Origin = Annotated[str | None, typer.Option("--origin", metavar="URL", help="The file of the original bots; else BIDLOCK_SQLITE_URL.")]
DEFAULT_REGISTER = Path("bidlock-register.json")

Work = Callable[[FencesOriginalBots, int], Awaitable[Outcome]]


@app.callback()
def legacy_fence() -> None:
    """Make original bots obey windows, markers and the watermark, by triggers in their own table; their code stays as it is."""


@app.command()
def install(register: Register = DEFAULT_REGISTER, origin: Origin = None) -> None:
    """Build the fence; may be repeated. What an original bot locks from now on, nobody else ever bids on."""
    admitted = asyncio.run(_with_fence(RegisterFile(register), origin, lambda store, epoch: store.install_fence(epoch)))
    state = "admitted" if admitted else "refused: the fleet does not rest on the file alone; walk it to sqlite or dual, then install again"
    output.facts([("fence", "built"), ("original bots", state)])


@app.command()
def remove(
    register: Register = DEFAULT_REGISTER,
    origin: Origin = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Yes, every original bot has ended.")] = False,
) -> None:
    """Take the fence away, after the last original bot: one that still runs would obey nothing any more."""
    if not yes:
        raise typer.BadParameter("say that every original bot has ended for certain", param_hint="--yes")
    asyncio.run(_with_fence(RegisterFile(register), origin, lambda store, epoch: store.remove_fence(epoch)))
    output.facts([("fence", "taken away")])


async def _with_fence(file: RegisterFile, origin: str | None, work: Work) -> bool:
    """Do it under the register's lock and epoch; whether the file admits original bots afterwards."""
    with file.locked():
        kept = file.read()
        if kept is None or kept.register is None:
            raise ConfigurationError(
                f"there is no register at {file.path}; `bidlock migrate --to sqlite` begins one, --register names another"
            )
        store = _origin(origin)
        await store.open()
        try:
            if not isinstance(store, FencesOriginalBots):
                raise ConfigurationError("the origin store's backend knows no original bots; nothing was changed")
            _agreed(await work(store, kept.register.epoch))
            return LEGACY in (await store.survey(kept.register.epoch)).modes
        finally:
            await store.close()


def _origin(url: str | None) -> OriginStore:
    settings = Settings.read(os.environ, sqlite_url=url)
    store: OriginStore = connecting.store(
        settings.sqlite_url,
        plugins.load(),
        Role.ORIGIN,
        prefix=settings.prefix,
        buckets=settings.buckets,
        timeout=settings.store_timeout,
    )
    return store


def _agreed(outcome: Outcome) -> None:
    if outcome is Outcome.OK:
        return
    remedies = {
        Outcome.EPOCH: "a controller with a newer register was here; use the newest register",
        Outcome.CLOSED: "the file has no meta; `bidlock migrate --to sqlite` takes it over first",
    }
    raise ConfigurationError(remedies.get(outcome, f"the file refused: {outcome.value}") + ". Nothing was changed")
