"""The application: which commands there are, and what becomes of their errors."""

from __future__ import annotations

import os
import sys

import typer

from bidlock.cli import exit_codes, failures, logs, migrate
from bidlock.cli.doctor import doctor
from bidlock.cli.external import LazyGroup
from bidlock.cli.hold import hold
from bidlock.cli.inspecting import break_, inspect
from bidlock.cli.once import once
from bidlock.cli.plugins import plugins
from bidlock.cli.scaffolding import new_plugin
from bidlock.cli.version import version


def build() -> typer.Typer:
    """Put the commands together; plain text when nobody looks at a terminal."""
    drawn = sys.stdout.isatty()
    app = typer.Typer(
        name="bidlock",
        cls=LazyGroup,
        help="Bid on every posting at most once, across a fleet.",
        epilog=exit_codes.epilog(drawn=drawn),
        no_args_is_help=True,
        rich_markup_mode="rich" if drawn else None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for command in (once, hold, inspect, break_, doctor, plugins, new_plugin, version):
        app.command(command.__name__.rstrip("_").replace("_", "-"))(command)
    app.add_typer(migrate.app, name="migrate")
    return app


def run() -> int:
    """Run the command line and return the exit code; an error becomes one line on stderr."""
    logs.configure(debug=os.environ.get(failures.DEBUG_VARIABLE) == "1")
    try:
        build()(prog_name="bidlock")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except Exception as error:
        return failures.report(error)
    return 0
