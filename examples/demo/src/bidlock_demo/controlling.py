"""The controller of the last act as a process: `bidlock migrate`, telling each step as a JSON line."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path

from bidlock import plugins
from bidlock.migration import actions, connecting
from bidlock.migration.controller import Controller, Step
from bidlock.migration.registerfile import RegisterFile
from bidlock.migration.wishes import Wish


def main() -> None:
    """Begin the register, or walk to `--goal`, and stay there (`--watch`) until ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--register", type=Path, required=True)
    parser.add_argument("--origin", required=True)
    parser.add_argument("--target", required=True)
    parser.add_argument("--goal", required=True, help="a mode; the walk ends there")
    parser.add_argument("--ttl-max", type=float, required=True)
    parser.add_argument("--margin", type=float, required=True)
    parser.add_argument("--watch", action="store_true", help="stay, and open restarted stores again")
    asyncio.run(_walk(parser.parse_args()))


async def _walk(given: argparse.Namespace) -> None:
    both = connecting.stores(given.origin, given.target, plugins.load(), prefix="bidlock", buckets=1, timeout=2.0)
    await connecting.open_both(both)
    file = RegisterFile(given.register)
    with file.locked():
        controller = Controller(file, both, round(given.ttl_max * 1000), round(given.margin * 1000))
        await controller.begin()
        _say(event="started")
        try:
            await controller.walk(Wish(given.goal), _tell, forever=given.watch)
        finally:
            await connecting.close_both(both)


def _tell(step: Step) -> None:
    if isinstance(step.action, actions.Noop):
        _say(event="arrived", mode=step.sight.register.to)
    elif not isinstance(step.action, actions.Wait):
        register = step.sight.register
        _say(event="step", action=type(step.action).__name__, source=register.source, to=register.to, authority=register.authority.value)


def _say(**facts: str) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
