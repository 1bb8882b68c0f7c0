"""The life of one policy: pass after pass, until it is deleted or the operator ends. Never ends by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import structlog

from bidlock.errors import BidlockError
from bidlock_operator.kube.errors import Conflict, KubeError, Refused
from bidlock_operator.observing.copies import looked_after
from bidlock_operator.observing.news import Place
from bidlock_operator.reconciling import pacing
from bidlock_operator.reconciling.ground import Ground
from bidlock_operator.reconciling.passes import Reconciler

log = structlog.stdlib.get_logger("bidlock_operator.policy")


async def live(ground: Ground, place: Place, stopped: Callable[[], bool]) -> None:
    """Reconcile a policy until `stopped`.

    What the API server failed at is tried again with all that is known, so that a server that fails at every fifth request
    is got through step by step; after any other failure everything that was kept is thrown away.
    """
    failures = 0
    reconciler = Reconciler(ground, place)
    try:
        while not stopped():
            try:
                pause = await _timed(ground, place, reconciler)
                failures = 0
            except Exception as error:  # whatever it is: this loop must not end, kopf would never begin it again
                failures += 1
                pause = _backoff(ground, place, error, failures)
                if not isinstance(error, KubeError):
                    await reconciler.close()
                    reconciler = Reconciler(ground, place)
            await ground.news.wait(place, pause) if pause else await asyncio.sleep(0)
    finally:
        await reconciler.close()


async def _timed(ground: Ground, place: Place, reconciler: Reconciler) -> float:
    began = time.monotonic()
    ground.turns.beat(looked_after(place))
    try:
        return await reconciler.step()
    finally:
        ground.metrics.passes.labels(*place).observe(time.monotonic() - began)


def _backoff(ground: Ground, place: Place, error: Exception, failures: int) -> float:
    """Tell the failure, and say how long to wait."""
    ground.metrics.errors.labels(*place, type(error).__name__).inc()
    shown = "/".join(place)
    if isinstance(error, Conflict):
        log.info("the policy changed meanwhile", policy=shown)
        return ground.paces.awaited
    if isinstance(error, BidlockError):
        log.warning("a pass failed", policy=shown, error=str(error), kind=type(error).__name__)
    else:
        log.error("a pass failed", policy=shown, exc_info=error)
    asked = error.retry_after if isinstance(error, Refused) else 0.0
    return pacing.after_failure(ground.paces, failures, asked)
