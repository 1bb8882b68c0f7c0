"""The command line. Nothing else in bidlock needs typer and rich, so nothing else imports them."""

from __future__ import annotations

import importlib.util
import sys

NEEDED = ("typer", "rich")
"""What the extra `bidlock[cli]` brings."""


def main() -> None:
    """Run `bidlock`; the console script."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        sys.exit(f'bidlock: the command line needs {" and ".join(missing)}; install it with: pip install "bidlock[cli]"')
    from bidlock.cli.app import run  # only now, so that the message above can be given

    sys.exit(run())
