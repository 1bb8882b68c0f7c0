"""The end of a policy: its bidders first, then the rest. Bounded in time, and nothing here is needed for safety.

Children go with their owner by themselves, and volumes stay unless the policy says otherwise; bidders that lose their
stores skip. Ending them first only lets bids underway be recorded. An operator that dies meanwhile does not come back to it.
"""

from __future__ import annotations

import asyncio
import time

import structlog

from bidlock_operator import policies
from bidlock_operator.kube import kinds
from bidlock_operator.kube.errors import KubeError
from bidlock_operator.manifests import naming
from bidlock_operator.observing import children as observed
from bidlock_operator.observing.news import Place
from bidlock_operator.reconciling.ground import Ground

log = structlog.stdlib.get_logger("bidlock_operator.policy")


async def end(ground: Ground, place: Place) -> None:
    """Let the bidders of a deleted policy end; return when they have, or when their time is over."""
    body = ground.news.latest(place)
    if body is None:
        return
    policy = policies.read(body)
    until = time.monotonic() + min(ground.paces.deletion, policy.bidder.bid_timeout_seconds + 15)
    try:
        for name in (naming.bidder(policy), naming.canary(policy)):
            for kind in (kinds.DEPLOYMENT, kinds.STATEFUL_SET):
                if observed.look(ground.cache, *place).get(kind, name) is not None:
                    await ground.kube.delete(kind, policy.namespace, name)
        while observed.look(ground.cache, *place).component("bidder") and time.monotonic() < until:
            await ground.news.wait(place, 0.5)
    except KubeError as error:
        log.warning("the bidders end by themselves", policy="/".join(place), error=str(error))
    log.info("deleted", policy="/".join(place))
    await asyncio.sleep(0)
