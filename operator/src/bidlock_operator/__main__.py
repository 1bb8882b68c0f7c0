"""`bidlock-operator` and `python -m bidlock_operator`: the handlers under kopf, configured by the environment alone.

The handlers are registered by the import of the package.
"""

from __future__ import annotations

import os
import sys

import kopf

from bidlock.errors import ConfigurationError
from bidlock_operator import logs
from bidlock_operator.settings import Settings


def main() -> None:
    """Run until SIGTERM or SIGINT; exit 2 when a setting is invalid and 1 when the cluster cannot be reached."""
    try:
        settings = Settings.read(os.environ)
    except ConfigurationError as error:
        sys.stderr.write(f"bidlock-operator: {error}\n")
        sys.exit(2)
    logs.configure(settings)
    kopf.run(clusterwide=not settings.namespaces, namespaces=settings.namespaces, standalone=True)


if __name__ == "__main__":
    main()
