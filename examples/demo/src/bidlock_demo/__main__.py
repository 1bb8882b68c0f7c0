"""`python -m bidlock_demo`: the demo without the `bidlock` command line."""

import sys

from bidlock.cli import failures
from bidlock.cli.external import command_of
from bidlock_demo.command import demo


def main() -> int:
    """Entry point."""
    try:
        command_of("demo", demo)(prog_name="bidlock_demo")
    except Exception as error:
        return failures.report(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
