"""Where kopf meets the operator: decorators and delegation, nothing else.

Only startup and event handlers: kopf then writes no annotation on any object. (It would with the first handler for
creation, update, deletion or a field.)
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

import kopf
import structlog

from bidlock.errors import ConfigurationError
from bidlock_operator import logs, policies, resources
from bidlock_operator.kube.connecting import ClusterUnreachable
from bidlock_operator.running import Operator
from bidlock_operator.settings import Settings

log = structlog.stdlib.get_logger("bidlock_operator")


@kopf.on.startup()
async def begin(settings: kopf.OperatorSettings, memo: kopf.Memo, **_: Any) -> None:
    """Read our settings, adjust kopf's, and wait until this replica leads; kopf watches nothing before.

    Raises:
        SystemExit: kopf shows the traceback of any other exception; a human wants the one line.
    """
    await asyncio.sleep(0)  # kopf's other tasks get to begin; ended before that, they are reported as never awaited
    try:
        own = Settings.read(os.environ)
        logs.configure(own)
        adjust(settings, own)
        memo.operator = Operator(own, namespaces=own.namespaces)
        await memo.operator.begin()
    except (ConfigurationError, ClusterUnreachable) as error:
        raise SystemExit(f"bidlock-operator: {error}") from None


@kopf.on.cleanup()
async def end(memo: kopf.Memo, **_: Any) -> None:
    """Give the Lease back, after everything else has ended."""
    await memo.operator.end()


def adjust(settings: kopf.OperatorSettings, own: Settings) -> None:
    """Set what kopf's defaults leave unsafe or noisy for us."""
    settings.posting.enabled = False  # kopf's events are neither aggregated nor limited
    settings.peering.standalone = True  # kopf's peering is no leader election: peers of one priority all pause
    settings.persistence.finalizer = resources.FINALIZER
    settings.networking.request_timeout = own.api_timeout
    settings.networking.connect_timeout = own.api_timeout
    settings.process.ultimate_exiting_timeout = 20.0  # below the usual grace period of a pod, 30 s


@kopf.on.event(resources.POLICY.group, resources.POLICY.version, resources.POLICY.plural)
async def policy_event(body: kopf.Body, type: str | None, **_: Any) -> None:  # noqa: A002 — kopf passes it by this name
    """Log what was seen; this version acts on no policy."""
    policy = policies.read(body)
    log.info(
        "policy seen",
        policy=f"{policy.namespace}/{policy.name}",
        change=type or "LISTED",
        generation=policy.generation,
        phase=policy.phase,
        paused=policy.paused,
    )
