"""The command line of `bidlock-operator`: to operate, or one of the jobs."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from bidlock.errors import BidlockError
from bidlock_operator.jobs import applying, uninstalling, verifying
from bidlock_operator.kube.client import MANAGER, Kube
from bidlock_operator.kube.connecting import connected
from bidlock_operator.kube.errors import Forbidden, Invalid
from bidlock_operator.settings import Settings

FAILED, HOPELESS = 1, 2
"""Exit codes: another try may help; it would fail again. The chart's Jobs try again only after the first."""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line; without a command it is `run`."""
    parser = argparse.ArgumentParser(prog="bidlock-operator", description="Operates bidlock fleets; configured by BIDLOCK_OPERATOR_*.")
    parser.set_defaults(command="run")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("run", help="operate, until SIGTERM (the default)")
    apply = commands.add_parser("apply", help="create or change the policies of a file")
    apply.add_argument("file", type=Path, help="JSON lines, each a BidLockPolicy with its namespace")
    uninstall = commands.add_parser("uninstall", help="stop the operator and free its policies of the finalizer; deletes nothing")
    uninstall.add_argument("--deployment", required=True, help="name of the operator's Deployment")
    uninstall.add_argument("--namespace", required=True, help="namespace of the operator")
    verify = commands.add_parser("verify", help="show that a policy is accepted and that an operator is ready; changes nothing")
    verify.add_argument("--namespace", required=True, help="a namespace in which the operator works")
    verify.add_argument("--readyz", required=True, metavar="URL", help="an operator's readiness")
    for job in (apply, uninstall, verify):
        job.add_argument("--timeout", type=float, default=60.0, metavar="SECONDS", help="longest time for a step (default: %(default)g)")
    parsed = parser.parse_args(arguments)
    parsed.command = parsed.command or "run"
    return parsed


def main(chosen: argparse.Namespace, settings: Settings) -> int:
    """Do one job; returns the exit code."""
    try:
        asyncio.run(_do(chosen, settings))
    except (BidlockError, OSError) as error:
        sys.stderr.write(f"bidlock-operator {chosen.command}: {error}\n")
        return HOPELESS if isinstance(error, Forbidden | Invalid) else FAILED
    return 0


async def _do(chosen: argparse.Namespace, settings: Settings) -> None:
    async with connected(settings.api_timeout) as transport:
        kube = Kube(transport, manager=applying.MANAGER if chosen.command == "apply" else MANAGER)
        match chosen.command:
            case "apply":
                await applying.apply(kube, applying.read(chosen.file), within=chosen.timeout, say=_say)
            case "uninstall":
                await uninstalling.uninstall(
                    kube, chosen.deployment, chosen.namespace, settings.namespaces, within=chosen.timeout, say=_say
                )
            case "verify":
                await verifying.verify(kube, chosen.namespace, chosen.readyz, within=chosen.timeout, say=_say)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
