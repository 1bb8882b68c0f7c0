"""Policies that nobody looks after, because kopf's write of our finalizer was refused: it tries again with the next event only."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog

from bidlock_operator import resources
from bidlock_operator.kube.client import Kube
from bidlock_operator.kube.errors import KubeError
from bidlock_operator.observing.news import News

log = structlog.stdlib.get_logger("bidlock_operator.policy")

EVERY = 5.0
"""Seconds between two looks; a policy that is seen twice as it is has been forgotten."""


async def adopt(kube: Kube, news: News) -> None:
    """Until cancelled: write the finalizer in kopf's place, which is an event, too."""
    before: set[str] = set()
    while True:
        await asyncio.sleep(EVERY)
        orphans = {f"{body['metadata']['uid']} {body['metadata']['resourceVersion']}": body for body in news.all() if orphaned(body)}
        for seen in orphans.keys() & before:
            await _adopt(kube, orphans[seen])
        before = set(orphans)


def orphaned(body: Mapping[str, Any]) -> bool:
    """Whether kopf has not begun to look after a policy."""
    metadata = body["metadata"]
    return resources.FINALIZER not in (metadata.get("finalizers") or ()) and not metadata.get("deletionTimestamp")


async def _adopt(kube: Kube, body: Mapping[str, Any]) -> None:
    metadata = body["metadata"]
    held = [*(metadata.get("finalizers") or ()), resources.FINALIZER]
    patch = {"metadata": {"finalizers": held, "uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}}
    try:
        await kube.merge(resources.POLICY, str(metadata["namespace"]), str(metadata["name"]), patch)
    except KubeError as error:
        log.info("a policy is not adopted yet", policy=f"{metadata['namespace']}/{metadata['name']}", error=str(error))
