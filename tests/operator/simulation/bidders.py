"""What a bidder of a fleet is told, with this machine's folders in place of its mounts: enough to bid as it would."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

from simulation.kubelet import Kubelet
from simulation.world import Fleet

import bidlock
from bidlock_operator.kube import kinds
from bidlock_operator.kube.client import Kube


async def environment(fleet: Fleet, node: Kubelet) -> dict[str, str]:
    """The variables of a bidder that is listed and not ending.

    Raises:
        LookupError: there is none, or a Secret that it needs is not there.
    """
    pods = await fleet.kube.list(kinds.POD, fleet.namespace, "app.kubernetes.io/component=bidder")
    spec = next((pod["spec"] for pod in pods if not pod["metadata"].get("deletionTimestamp")), None)
    if spec is None:
        raise LookupError("no bidder is listed")
    container = spec["containers"][0]
    told: dict[str, str] = {}
    for one in container["env"]:
        source = (one.get("valueFrom") or {}).get("secretKeyRef")
        value = await _secret(fleet.kube, fleet.namespace, source) if source else one.get("value", "")
        told[one["name"]] = re.sub(r"\$\((\w+)\)", lambda found: told[found[1]], value)
    folders = {
        mount["mountPath"]: await _folder(fleet, node, spec, mount["name"])
        for mount in container.get("volumeMounts") or ()
        if mount["name"].startswith("bidlock-")
    }
    return {name: _moved(value, folders) for name, value in told.items()}


async def bid(fleet: Fleet, node: Kubelet, posting: str, *, posted_at: float | None = None) -> bidlock.Placed[str] | bidlock.Skipped:
    """Bid once on a posting, as a bidder of the fleet."""

    async def place(lease: bidlock.Lease) -> str:
        return posting

    async with bidlock.connect(environment=await environment(fleet, node)) as locks:
        return await locks.bid_once("upwork", posting, place, posted_at=posted_at)


def _moved(value: str, folders: Mapping[str, str]) -> str:
    for inside, outside in folders.items():
        value = value.replace(inside, outside)
    return value


async def _folder(fleet: Fleet, node: Kubelet, spec: Mapping[str, Any], name: str) -> str:
    """Where a volume of a pod is on this machine; a Secret is written out."""
    volume = next(each for each in spec["volumes"] if each["name"] == name)
    if claim := volume.get("persistentVolumeClaim"):
        return str(node.claim(fleet.namespace, claim["claimName"]))
    folder = node.claim(fleet.namespace, f"mounted-{name}")
    folder.mkdir(parents=True, exist_ok=True)
    for item in volume["secret"]["items"]:
        source = {"name": volume["secret"]["secretName"], "key": item["key"]}
        (folder / item["path"]).write_text(await _secret(fleet.kube, fleet.namespace, source))
    return str(folder)


async def _secret(kube: Kube, namespace: str, source: Mapping[str, str]) -> str:
    found = await kube.get(kinds.SECRET, namespace, source["name"])
    if found is None:
        raise LookupError(f"there is no Secret {source['name']}")
    return base64.b64decode(found["data"][source["key"]]).decode()
