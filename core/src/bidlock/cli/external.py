"""Commands that other distributions bring (`demo`, `bench`), found by entry point and imported only when used."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from bidlock.cli.exit_codes import ExitCode
from bidlock.cli.failures import redacted, say

GROUP = "bidlock.commands.v1"
"""Entry-point group; a value is `module:function`, a function as typer takes it."""

PACKAGES = {"agent": "bidlock-sqlite[agent]", "demo": "bidlock-demo", "bench": "bidlock-bench"}
"""What to install for a command of ours that is not there."""

SUMMARIES = {
    "agent": "Serve one SQLite file to a migration on another machine.",
    "demo": "One feed, many bidders, no double bid: watch it.",
    "bench": "Measure bidlock, its peers and the raw floor in one run.",
}
"""Help lines of our own commands, so that `--help` imports nothing."""


@dataclass(frozen=True, slots=True)
class ExternalCommand:
    """One entry point of the group."""

    entry: metadata.EntryPoint
    distribution: str
    version: str

    @property
    def origin(self) -> str:
        """Distribution and version, for humans."""
        return f"{self.distribution} {self.version}".strip()

    def load(self, name: str) -> Any:
        """Import it and make it a command; a broken one is named and ends the program."""
        try:
            return command_of(name, self.entry.load())
        except Exception as error:
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            say(redacted(f"the command {name!r} of {self.origin} is broken ({reason}); update or uninstall {self.distribution}"))
            raise typer.Exit(ExitCode.CONFIGURATION) from error


def found() -> dict[str, ExternalCommand]:
    """Every installed external command by name; of two with one name the first distribution in the alphabet wins."""
    commands: dict[str, ExternalCommand] = {}
    for entry in metadata.entry_points(group=GROUP):
        dist = entry.dist
        candidate = ExternalCommand(entry, dist.name if dist else "", dist.version if dist else "")
        rival = commands.get(entry.name)
        if rival is None or candidate.distribution < rival.distribution:
            commands[entry.name] = candidate
    return commands


def command_of(name: str, function: Callable[..., Any]) -> Any:
    """A command from a typer-style function."""
    single = typer.Typer(add_completion=False, rich_markup_mode="rich" if sys.stdout.isatty() else None)
    single.command(name)(function)
    return typer.main.get_command(single)


class LazyGroup(TyperGroup):
    """The built-in commands, and by name those of other distributions."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 — typer's signature
        """Built-in commands as written, then the others in the alphabet."""
        return [*self.commands, *sorted(set(found()) - set(self.commands))]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 — typer's signature
        """The command; a stand-in with a help line for one that would have to be imported."""
        if (built_in := self.commands.get(cmd_name)) is not None:
            return built_in
        if (external := found().get(cmd_name)) is not None:
            return TyperCommand(cmd_name, help=SUMMARIES.get(cmd_name, f"From {external.origin}."))
        if cmd_name in PACKAGES:
            return TyperCommand(cmd_name, hidden=True)
        return None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is about to run: here, and only here, the stand-in becomes the real one."""
        name, command, rest = super().resolve_command(ctx, args)
        if command is None or command.name in self.commands:
            return name, command, rest
        external = found().get(str(command.name))
        if external is None:
            say(f"{name!r} comes with another package; install it with: pip install {PACKAGES[str(command.name)]}")
            raise typer.Exit(ExitCode.CONFIGURATION)
        return name, external.load(str(command.name)), rest
