"""`uninstall`: stop the operator, then free every policy of its finalizer.

In this order, because an operator that runs puts its finalizer back. Nothing is deleted: the fleets go on as they are.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bidlock_operator.jobs.patience import NotYet, until_done
from bidlock_operator.kube import kinds
from bidlock_operator.kube.client import Kube
from bidlock_operator.reconciling import freeing


async def uninstall(
    kube: Kube, deployment: str, namespace: str, watched: Iterable[str], *, within: float, say: Callable[[str], None]
) -> None:
    """Leave nothing behind that waits for an operator.

    Args:
        kube: A client.
        deployment: The operator's Deployment, and its Lease object.
        namespace: Where it is.
        watched: Where policies may be; none for everywhere.
        within: Longest time for each step, seconds.
        say: Is told what was done.

    Raises:
        NotYet: a pod of the operator did not end in time, or still leads.
        KubeError: the API server refuses something, and says why.
    """
    selector = await until_done(functools.partial(_stop, kube, deployment, namespace), within=within)
    if selector:
        await until_done(functools.partial(_ended, kube, namespace, selector), within=within)
        await until_done(functools.partial(_unled, kube, namespace, deployment, Seen()), within=within)
        say(f"stopped the operator {namespace}/{deployment}")
    for place in tuple(watched) or ("",):
        for freed in await until_done(functools.partial(freeing.free, kube, place), within=within):
            say(f"freed policy {freed}")


async def _stop(kube: Kube, deployment: str, namespace: str) -> str:
    """Scale to zero; the selector of its pods, empty when there is no such Deployment."""
    found = await kube.get(kinds.DEPLOYMENT, namespace, deployment)
    if found is None:
        return ""
    if found["spec"].get("replicas") != 0:
        found["spec"]["replicas"] = 0
        await kube.replace(kinds.DEPLOYMENT, namespace, deployment, found)
    return ",".join(f"{label}={value}" for label, value in found["spec"]["selector"]["matchLabels"].items())


async def _ended(kube: Kube, namespace: str, selector: str) -> None:
    pods = await kube.list(kinds.POD, namespace, selector)
    if pods:
        names = ", ".join(pod["metadata"]["name"] for pod in pods)
        raise NotYet(f"pods of the operator have not ended: {names}; delete them, then uninstall again")


@dataclass
class Seen:
    """A Lease object as it was last seen to change.

    Attributes:
        version: Its version then.
        at: When, on the loop's clock; seconds.
    """

    version: str = ""
    at: float = 0.0


async def _unled(kube: Kube, namespace: str, name: str, seen: Seen) -> None:
    """Nobody leads any more: the Lease was given back, or not renewed for as long as it is valid.

    A pod that was deleted by force is gone before its process, which would put the finalizer back.
    """
    lease = await kube.get(kinds.LEASE, namespace, name)
    if lease is None or not lease["spec"].get("holderIdentity"):
        return
    now, version = asyncio.get_running_loop().time(), lease["metadata"]["resourceVersion"]
    if version != seen.version:
        seen.version, seen.at = version, now
    if now - seen.at < lease["spec"].get("leaseDurationSeconds", 0):
        raise NotYet(f"{lease['spec']['holderIdentity']} still leads; see that its process ends, then uninstall again")
