"""`bidlock-operator` and `python -m bidlock_operator`: the handlers under kopf, or one of the chart's jobs.

The handlers are registered by the import of the package; everything but a job's own arguments comes from the environment.
"""

from __future__ import annotations

import os
import sys

import kopf

from bidlock.errors import ConfigurationError
from bidlock_operator import logs
from bidlock_operator.jobs import command
from bidlock_operator.settings import Settings


def main() -> None:
    """Exit 2 when an argument or a setting is invalid; else as what was asked for: to run, or a job."""
    chosen = command.parse(sys.argv[1:])
    try:
        settings = Settings.read(os.environ)
    except ConfigurationError as error:
        sys.stderr.write(f"bidlock-operator: {error}\n")
        sys.exit(2)
    if chosen.command != "run":
        sys.exit(command.main(chosen, settings))
    run(settings)


def run(settings: Settings) -> None:
    """Operate until SIGTERM or SIGINT; exit 1 when the cluster cannot be reached."""
    logs.configure(settings)
    kopf.run(clusterwide=not settings.namespaces, namespaces=settings.namespaces, standalone=True)


if __name__ == "__main__":
    main()
