"""`bidlock migrate`: walk a fleet from SQLite to Redis and back on plain machines, without Kubernetes."""

from __future__ import annotations

import asyncio
import enum
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from bidlock import plugins
from bidlock.cli import legacy_fence, output, standing
from bidlock.cli.exit_codes import ExitCode
from bidlock.cli.failures import say
from bidlock.cli.options import AsJson
from bidlock.cli.progress import Progress
from bidlock.cli.standing import CALLED
from bidlock.errors import ConfigurationError
from bidlock.migration import actions, connecting
from bidlock.migration.controller import Controller, Step
from bidlock.migration.planning import NAMES, plan
from bidlock.migration.registerfile import Kept, RegisterFile
from bidlock.migration.sight import Sight
from bidlock.migration.wishes import Wish
from bidlock.settings import Settings


class Goal(enum.StrEnum):
    """What people call the modes."""

    SQLITE = "sqlite"
    DUAL = "dual"
    STRICT = "strict"
    REDIS_PRIMARY = "redis-primary"
    REDIS_ONLY = "redis-only"


class Adoption(enum.StrEnum):
    """What is bid on after a file of original bots was taken over."""

    NEW_POSTINGS = "new-postings"
    ALL_POSTINGS = "all-postings"


Register = Annotated[
    Path, typer.Option("--register", metavar="FILE", help="What the controller remembers; keep it, and keep it on a durable disk.")
]
Origin = Annotated[str | None, typer.Option("--origin", metavar="URL", help="Where the fleet comes from; else BIDLOCK_SQLITE_URL.")]
Target = Annotated[str | None, typer.Option("--target", metavar="URL", help="Where the fleet goes to; else BIDLOCK_REDIS_URL.")]
Loss = Annotated[
    list[str] | None,
    typer.Option(
        "--accept-authority-loss",
        metavar="NONCE",
        help="Go on after the loss of this name: postings created before it are never bid on again.",
    ),
]
_GOAL_HELP = "Where the fleet should end up: " + ", ".join(Goal) + "."
To = Annotated[Goal | None, typer.Option("--to", metavar="MODE", help=_GOAL_HELP)]
OneStep = Annotated[bool, typer.Option("--step", help="Take one step of the walk, then stop.")]
Watch = Annotated[bool, typer.Option("--watch", help="Stay and guard: open restarted stores again, mend drift. Ctrl-C ends it.")]
NotDurable = Annotated[
    bool, typer.Option("--accept-not-durable", help="Let a target that may lose acknowledged writes have the authority.")
]
Sealed = Annotated[bool, typer.Option("--seal", help="Seal the target before a planned stop; run again without it afterwards.")]
ClockSkew = Annotated[float, typer.Option("--clock-skew", metavar="SECONDS", min=0, help="Bound on marketplace clock minus store clock.")]
Adopt = Annotated[
    Adoption,
    typer.Option(
        "--adopt",
        help="Only where original bots worked on the file, and when the fleet begins: whether it bids on postings created before, too. "
        "Original bots left no trace of what they bid on.",
    ),
]
DEFAULT_REGISTER = Path("bidlock-register.json")

app = typer.Typer(no_args_is_help=True)
app.add_typer(legacy_fence.app, name="legacy-fence")


@app.command()
def status(register: Register = DEFAULT_REGISTER, origin: Origin = None, target: Target = None, as_json: AsJson = False) -> None:
    """Show where the fleet is, what the stores admit, and what would be done next. Changes nothing."""

    async def look(controller: Controller, kept: Kept) -> Sight:
        if kept.register is None:
            raise ConfigurationError("the register is not founded yet; `bidlock migrate --to MODE` begins")
        return await controller.look(kept, kept.register)

    file = RegisterFile(register)
    kept = _existing(file)
    sight = asyncio.run(_with_controller(file, origin, target, lambda controller: look(controller, kept)))
    if as_json:
        output.as_json(standing.document(file, kept, sight))
    else:
        output.facts(standing.described(file, kept, sight))


@app.command("plan")
def plan_(
    to: Annotated[Goal, typer.Option("--to", metavar="MODE", help=_GOAL_HELP)],
    register: Register = DEFAULT_REGISTER,
    as_json: AsJson = False,
) -> None:
    """Show the steps of a walk, without taking any."""
    kept = RegisterFile(register).read()
    source = kept.register.to if kept and kept.register else "sqlite"
    steps = plan(source, NAMES[to])
    if as_json:
        output.as_json({"from": CALLED[source], "to": to.value, "steps": steps})
        return
    for number, words in enumerate(steps, 1):
        output.line(f"{number}. {words}")
    if not steps:
        output.line(f"the fleet is at {to.value}; nothing to do")


@app.callback(invoke_without_command=True)
def migrate(
    context: typer.Context,
    goal: To = None,
    register: Register = DEFAULT_REGISTER,
    origin: Origin = None,
    target: Target = None,
    step: OneStep = False,
    watch: Watch = False,
    accepted: Loss = None,
    accept_not_durable: NotDurable = False,
    seal: Sealed = False,
    clock_skew: ClockSkew = 60.0,
    adopt: Adopt = Adoption.NEW_POSTINGS,
    as_json: AsJson = False,
) -> None:
    """Walk a fleet from SQLite to Redis and back while it bids: `bidlock migrate --to MODE`. Stop it at any moment; run it again and it goes on."""
    if context.invoked_subcommand is not None:
        return
    if goal is None:
        raise typer.BadParameter("say where to: " + ", ".join(Goal), param_hint="--to")
    wish = Wish(
        NAMES[goal],
        sealed=frozenset(range(Settings.read(os.environ).buckets)) if seal else frozenset(),
        accepted=frozenset(accepted or ()),
        clock_skew_ms=round(clock_skew * 1000),
        accept_not_durable=accept_not_durable,
    )
    progress = Progress(quiet=as_json)

    async def go(controller: Controller) -> Step:
        if not step:
            return await controller.walk(wish, progress.told, forever=watch)
        done = await controller.step(wish)
        progress.told(done)
        return done

    skew = wish.clock_skew_ms if adopt is Adoption.NEW_POSTINGS else None
    file = RegisterFile(register)
    last = _guarded(file, lambda: _with_controller(file, origin, target, go, adoption_skew_ms=skew))
    if as_json:
        output.as_json(progress.document(last))
    raise typer.Exit(_code(last))


@app.command()
def rebuild(
    owner: Annotated[
        str, typer.Option("--owner", metavar="ID", help="The lost register's id, as the stores' meta shows it (`bidlock doctor`).")
    ],
    register: Register = DEFAULT_REGISTER,
    origin: Origin = None,
    target: Target = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Yes, the register is lost, and no other controller has it.")] = False,
) -> None:
    """Rebuild a register that was lost, from what the stores show. Two registers for one fleet would be a second bid."""
    if not yes and not (sys.stdin.isatty() and typer.confirm("Is the register lost for certain, and does no other controller have it?")):
        raise typer.BadParameter("say that the register is lost for certain", param_hint="--yes")
    file = RegisterFile(register)
    with file.locked():
        kept = asyncio.run(_with_controller(file, origin, target, lambda controller: controller.restore(owner)))
    output.facts([("register", str(file.path)), ("rebuilt at", CALLED[kept.register.to] if kept.register else "-")])


def _code(step: Step) -> int:
    if isinstance(step.action, actions.Refuse | actions.Halt):
        return ExitCode.UNHEALTHY
    return ExitCode.OK


def _existing(file: RegisterFile) -> Kept:
    kept = file.read()
    if kept is None:
        raise ConfigurationError(f"there is no register at {file.path}; `bidlock migrate --to MODE` begins one, --register names another")
    return kept


def _guarded(file: RegisterFile, work: Callable[[], Coroutine[Any, Any, Step]]) -> Step:
    """Work with the register locked against other controllers; Ctrl-C ends it in order."""
    with file.locked():
        try:
            last = asyncio.run(work())
        except KeyboardInterrupt:
            say("stopped; nothing is lost, run the same command again to go on")
            raise typer.Exit(130) from None
    return last


async def _with_controller(
    file: RegisterFile,
    origin: str | None,
    target: str | None,
    work: Callable[[Controller], Awaitable[Any]],
    *,
    adoption_skew_ms: int | None = None,
) -> Any:
    settings = Settings.read(os.environ, sqlite_url=origin, redis_url=target)
    both = connecting.stores(
        settings.sqlite_url,
        settings.redis_url,
        plugins.load(),
        prefix=settings.prefix,
        buckets=settings.buckets,
        timeout=settings.store_timeout,
    )
    await connecting.open_both(both)
    try:
        times = (round(settings.ttl_max * 1000), round(settings.margin * 1000))
        return await work(Controller(file, both, *times, adoption_skew_ms=adoption_skew_ms))
    finally:
        await connecting.close_both(both)
