"""The end of a policy: its bidders first, then the rest. Bounded in time, and nothing here is needed for safety.

Children go with their owner by themselves, and volumes stay unless the policy says otherwise; bidders that lose their
stores skip. Ending them first only lets bids underway be recorded. An operator that dies meanwhile does not come back to it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

import structlog

from bidlock_operator import policies, resources
from bidlock_operator.kube import kinds
from bidlock_operator.kube.errors import Conflict, KubeError
from bidlock_operator.manifests import naming, objects
from bidlock_operator.observing import children as observed
from bidlock_operator.observing.news import Place
from bidlock_operator.policies import Policy
from bidlock_operator.reconciling import freeing
from bidlock_operator.reconciling.ground import Ground

log = structlog.stdlib.get_logger("bidlock_operator.policy")


async def end(ground: Ground, place: Place, uid: str) -> None:
    """Let the bidders of a deleted policy end; return when they have, or when their time is over."""
    body = ground.news.latest(place)
    if body is None or body["metadata"]["uid"] != uid:  # it is gone already, and may have been made again
        return
    policy = policies.read(body)
    until = time.monotonic() + min(ground.paces.deletion, policy.bidder.bid_timeout_seconds + 15)
    while not await _ended(ground, place, policy, until):
        if time.monotonic() > until:
            log.warning("the rest of a deleted policy ends by itself", policy="/".join(place))
            return
        await asyncio.sleep(ground.paces.error)
    log.info("deleted", policy="/".join(place))


async def _ended(ground: Ground, place: Place, policy: Policy, until: float) -> bool:
    """Whether all was done; else it is to be done again."""
    try:
        await _end_bidders(ground, place, policy, until)
        await _let_go(ground, policy)
    except KubeError as error:
        log.warning("the end of a policy is held up", policy="/".join(place), error=str(error))
        return False
    return True


async def _end_bidders(ground: Ground, place: Place, policy: Policy, until: float) -> None:
    for name in (naming.bidder(policy), naming.canary(policy)):
        for kind in (kinds.DEPLOYMENT, kinds.STATEFUL_SET):
            if (found := observed.look(ground.cache, *place).get(kind, name)) is not None:
                await ground.kube.delete(kind, policy.namespace, name, uid=str(found["metadata"]["uid"]))  # not a new policy's
    while observed.look(ground.cache, *place).component(objects.BIDDER) and time.monotonic() < until:
        await ground.news.wait(place, 0.5)


async def _let_go(ground: Ground, policy: Policy) -> None:
    """Take our finalizer away; kopf would, too, but only when it looks again."""
    while body := await ground.kube.get(resources.POLICY, policy.namespace, policy.name):
        with contextlib.suppress(Conflict):
            if body["metadata"]["uid"] != policy.uid or not await freeing.let_go(ground.kube, body):
                return
