"""The bidders: the user's own pod template, with what the lock needs added and nothing taken away."""

from __future__ import annotations

import copy
from typing import Any

from bidlock.modes import MODES, Role
from bidlock_operator.manifests import agent, environment, naming, objects
from bidlock_operator.manifests.environment import SQLITE_VOLUME, Equipment
from bidlock_operator.manifests.platform import Platform
from bidlock_operator.policies import DeletionPolicy, Policy, Topology

FINISHING = 10
"""Seconds beyond the longest bid, for a pod that ends."""


def children(
    policy: Policy, mode: str, platform: Platform, *, replicas: int | None, canaries: int = 0, canary_mode: str = "", revision: str = ""
) -> list[dict[str, Any]]:
    """The bidders' Deployment, and that of the canaries; with a file per pod a StatefulSet.

    Args:
        policy: What is asked for.
        mode: The mode in which new bidders start.
        platform: Where they run.
        replicas: How many there shall be; None when an autoscaler acts on them itself.
        canaries: How many bidders work in `canary_mode` beside them.
        canary_mode: Their mode; without canaries it does not matter.
        revision: Changes when pods that use Redis must be replaced although the template is the same: it has other passwords.
    """
    if policy.sqlite.topology is Topology.PER_POD:
        return [stateful(policy, mode, platform, replicas=replicas, revision=revision)]
    steady = deployment(policy, mode, platform, naming.bidder(policy), "stable", replicas=replicas, revision=revision)
    early = deployment(policy, canary_mode or mode, platform, naming.canary(policy), "canary", replicas=canaries, revision=revision)
    return [steady, early] if canaries or policy.rollout.canary_replicas else [steady]


def deployment(
    policy: Policy, mode: str, platform: Platform, name: str, track: str, *, replicas: int | None, revision: str
) -> dict[str, Any]:
    """Bidders that have the file in common, or need none. Both modes are admitted while they roll, so any order is safe."""
    rollout = policy.rollout
    volume = {"name": SQLITE_VOLUME, "persistentVolumeClaim": {"claimName": naming.sqlite_claim(policy)}}
    return objects.child(
        policy,
        "apps/v1",
        "Deployment",
        name,
        objects.BIDDER,
        spec={
            **_replicas(replicas),
            "progressDeadlineSeconds": rollout.progress_deadline_seconds,
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxUnavailable": rollout.max_unavailable, "maxSurge": rollout.max_surge},
            },
            "selector": {"matchLabels": {**objects.selector(policy, objects.BIDDER), objects.TRACK_LABEL: track}},
            "template": _template(policy, mode, environment.equip(policy, mode, platform, volume), track, revision),
        },
    )


def stateful(policy: Policy, mode: str, platform: Platform, *, replicas: int | None, revision: str) -> dict[str, Any]:
    """Bidders with a file each. Never a Deployment: it replaces a pod that still runs, and with it the only lock."""
    held = "Delete" if policy.deletion_policy is DeletionPolicy.DELETE else "Retain"
    storage = policy.sqlite.storage
    volume = None if storage else {"name": SQLITE_VOLUME, "emptyDir": {}}
    template = _template(policy, mode, environment.equip(policy, mode, platform, volume), "stable", revision)
    if Role.ORIGIN in _touched(mode):
        _add_agent(template["spec"], policy, platform)
    claims = {"volumeClaimTemplates": [_own_claim(policy)]} if storage else {}
    return objects.child(
        policy,
        "apps/v1",
        "StatefulSet",
        naming.bidder(policy),
        objects.BIDDER,
        spec={
            **_replicas(replicas),
            "serviceName": naming.bidder(policy),
            "podManagementPolicy": "Parallel",
            "updateStrategy": {"type": "RollingUpdate"},
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": held, "whenScaled": "Retain"},
            "selector": {"matchLabels": {**objects.selector(policy, objects.BIDDER), objects.TRACK_LABEL: "stable"}},
            "template": template,
            **claims,
        },
    )


def _touched(mode: str) -> frozenset[Role]:
    return frozenset({*MODES[mode].roles, *MODES[mode].marks})


def _replicas(replicas: int | None) -> dict[str, int]:
    return {} if replicas is None else {"replicas": replicas}


def _own_claim(policy: Policy) -> dict[str, Any]:
    storage = policy.sqlite.storage
    if storage is None:
        raise ValueError("there is no volume to claim")
    metadata = {"name": SQLITE_VOLUME, "labels": objects.selector(policy, objects.BIDDER)}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata,
        "spec": objects.claim_spec(storage.size, storage.storage_class_name, "ReadWriteOnce"),
    }


def _template(policy: Policy, mode: str, equipment: Equipment, track: str, revision: str) -> dict[str, Any]:
    """The user's template with our labels, variables, mounts and volumes."""
    template = copy.deepcopy(dict(policy.bidder.template))
    metadata = template.setdefault("metadata", {})
    found = {objects.MODE_LABEL: mode, objects.TRACK_LABEL: track, **objects.selector(policy, objects.BIDDER)}
    metadata["labels"] = objects.labels(policy, objects.BIDDER) | metadata.get("labels", {}) | found
    if revision and Role.TARGET in _touched(mode):
        metadata["annotations"] = metadata.get("annotations", {}) | {objects.CONFIG_ANNOTATION: revision}
    spec = template["spec"]
    for container in (*spec.get("initContainers", ()), *spec["containers"]):
        _tell(container, equipment)
    spec["volumes"] = _joined(spec.get("volumes", ()), equipment.volumes)
    spec["terminationGracePeriodSeconds"] = max(spec.get("terminationGracePeriodSeconds", 0), policy.bidder.bid_timeout_seconds + FINISHING)
    if equipment.volumes and policy.sqlite.topology is Topology.SHARED_FILE:
        _keep_together(spec, policy, mode)
    return template


def _tell(container: dict[str, Any], equipment: Equipment) -> None:
    """Our variables first, so that the user's may refer to them; those that only the operator may set are replaced."""
    theirs = container.get("env", ())
    taken = environment.reserved(variable["name"] for variable in theirs)
    kept = [variable for variable in theirs if variable["name"] not in taken]
    container["env"] = [dict(variable) for variable in equipment.variables] + kept
    container["volumeMounts"] = _joined(container.get("volumeMounts", ()), equipment.mounts)


def _joined(theirs: Any, ours: Any) -> list[dict[str, Any]]:
    """The user's entries and ours; one of our name is replaced."""
    names = {entry["name"] for entry in ours}
    return [entry for entry in theirs if entry["name"] not in names] + [dict(entry) for entry in ours]


def _keep_together(spec: dict[str, Any], policy: Policy, mode: str) -> None:
    """Prefer the node on which the file's volume is; whatever the user wants of pods stays."""
    if Role.ORIGIN not in _touched(mode):
        return
    affinity = spec.setdefault("affinity", {}).setdefault("podAffinity", {})
    key = "preferredDuringSchedulingIgnoredDuringExecution"
    affinity[key] = [*affinity.get(key, ()), *agent.together(policy, objects.AGENT)[key]]


def _add_agent(spec: dict[str, Any], policy: Policy, platform: Platform) -> None:
    """The operator reaches a pod's own file by an agent in the pod."""
    place = {"file": policy.sqlite.file, "volume": SQLITE_VOLUME, "mount": policy.sqlite.mount_path}
    user, _ = agent.identity(policy)
    helpers = [agent.maker(platform, **place), agent.container(platform, **place)]
    for helper in helpers:
        helper["securityContext"] = {
            **helper["securityContext"],
            "runAsUser": user,
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        }
    spec["initContainers"] = [helpers[0], *spec.get("initContainers", ())]
    spec["containers"] = [*spec["containers"], helpers[1]]
    spec["volumes"] = [*spec["volumes"], agent.token_volume(policy)]
