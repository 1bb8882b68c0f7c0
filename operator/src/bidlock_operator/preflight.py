"""What must hold before the operator begins: a cluster that answers, and the rights to do its work.

`RIGHTS` is the one list of what the operator needs; the chart's roles are compared with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bidlock_operator import resources
from bidlock_operator.kube import kinds
from bidlock_operator.kube.client import Kube
from bidlock_operator.kube.connecting import ClusterUnreachable
from bidlock_operator.kube.errors import Busy, KubeError, Unanswered
from bidlock_operator.kube.transport import Request, Transport
from bidlock_operator.resources import Resource

BUSY = 1.0
"""Seconds between two tries while the API server has too much to do."""

AGAIN_EVERY = 60.0
"""Seconds between two looks whether an optional right was given."""

TRIES, AGAIN = 5, 0.2
"""How often one question about a right is asked, and seconds in between."""

_READ = ("get", "list", "watch")
_WATCH = frozenset({"list", "watch"})
_OWN = (*_READ, "create", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Right:
    """What the operator may do with a kind of object.

    Attributes:
        kind: The kind.
        verbs: As RBAC names them.
        subresource: Of the kind; empty for the object itself.
        optional: Whether the operator works without it, and says so in a condition.
    """

    kind: Resource
    verbs: tuple[str, ...]
    subresource: str = ""
    optional: bool = False


RIGHTS = (
    Right(resources.POLICY, (*_READ, "patch")),
    Right(resources.POLICY, ("patch",), "status"),
    Right(kinds.POD, (*_READ, "delete")),
    Right(kinds.DEPLOYMENT, _OWN),
    Right(kinds.STATEFUL_SET, _OWN),
    Right(kinds.SERVICE, _OWN),
    Right(kinds.CONFIG_MAP, _OWN),
    Right(kinds.CLAIM, _OWN),
    Right(kinds.SECRET, ("get", "create", "patch", "delete")),
    Right(kinds.DISRUPTION_BUDGET, _OWN, optional=True),
    Right(kinds.NETWORK_POLICY, _OWN, optional=True),
    Right(kinds.EVENT, ("create", "patch"), optional=True),
)
"""In every namespace with policies. Beside it: get, create and update on the one Lease, where the operator runs."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A verb that the operator is refused.

    Attributes:
        verb: As RBAC names it.
        place: Group, kind and subresource, as RBAC names them.
        right: The right it is part of.
        namespace: Where; empty for all namespaces.
    """

    verb: str
    place: str
    right: Right
    namespace: str = ""

    def __str__(self) -> str:
        return f"{self.verb} {self.place}" + (f" in namespace {self.namespace}" if self.namespace else "")


async def reach_cluster(transport: Transport, host: str) -> str:
    """Ask the API server for its version; one that is only busy is asked again.

    Returns:
        The version, for example `v1.34.4`.

    Raises:
        ClusterUnreachable: the server does not answer, or not these credentials.
    """
    while True:
        try:
            return str((await transport.send(Request("GET", "/version"))).get("gitVersion", ""))
        except Busy as error:
            await asyncio.sleep(max(error.retry_after, BUSY))
        except KubeError as error:
            raise _unreachable(error, host) from None


def _unreachable(error: KubeError, host: str) -> ClusterUnreachable:
    if isinstance(error, Unanswered):
        return ClusterUnreachable(f"the Kubernetes API at {host} cannot be used: {error}")
    return ClusterUnreachable(f"the Kubernetes API at {host} refuses these credentials: {error}")


async def missing(kube: Kube, namespaces: Iterable[str], rights: Iterable[Right] = RIGHTS) -> list[Missing]:
    """The verbs that the operator is refused, asked one by one.

    Args:
        kube: A client.
        namespaces: Where the operator works; none for everywhere.
        rights: What is asked for.
    """
    asked = [
        Missing(verb, _place(right), right, namespace)
        for namespace in tuple(namespaces) or ("",)
        for right in rights
        for verb in right.verbs
    ]
    return [each for each in asked if not await _allowed(kube, each.right, each.verb, each.namespace)]


def served(namespaces: Iterable[str], found: Iterable[Missing]) -> tuple[str, ...]:
    """Where the operator may do all that it needs; `("",)` for everywhere."""
    lacking = {each.namespace for each in found if not each.right.optional}
    return tuple(namespace for namespace in tuple(namespaces) or ("",) if namespace not in lacking)


def unwatched(found: Iterable[Missing]) -> frozenset[Resource]:
    """Kinds that may not be watched."""
    return frozenset(each.right.kind for each in found if each.verb in _WATCH)


def told(found: Iterable[Missing], namespace: str) -> str:
    """What the operator does without in a namespace, in one sentence; empty for nothing."""
    verbs: dict[str, list[str]] = {}
    for each in found:
        if each.namespace in ("", namespace):
            verbs.setdefault(each.place, []).append(each.verb)
    if not verbs:
        return ""
    return "the operator does without: " + "; ".join(f"{', '.join(names)} {place}" for place, names in verbs.items())


async def _allowed(kube: Kube, right: Right, verb: str, namespace: str) -> bool:
    attributes = {"group": right.kind.group, "resource": right.kind.plural, "subresource": right.subresource, "verb": verb}
    spec = {"resourceAttributes": attributes | ({"namespace": namespace} if namespace else {})}
    body = {"apiVersion": kinds.ACCESS_REVIEW.api_version, "kind": kinds.ACCESS_REVIEW.kind, "metadata": {}, "spec": spec}
    answer = await _asked(kube, body)
    return bool((answer.get("status") or {}).get("allowed"))


async def _asked(kube: Kube, body: dict[str, Any]) -> dict[str, Any]:
    """One of many questions: a failure is asked again for itself, else a server in trouble would never answer all of them."""
    for _ in range(TRIES - 1):
        try:
            return await kube.create(kinds.ACCESS_REVIEW, "", body)
        except (Busy, Unanswered) as error:
            await asyncio.sleep(max(getattr(error, "retry_after", 0.0), AGAIN))
    return await kube.create(kinds.ACCESS_REVIEW, "", body)


def _place(right: Right) -> str:
    name = f"{right.kind.plural}.{right.kind.group}" if right.kind.group else right.kind.plural
    return f"{name}/{right.subresource}" if right.subresource else name
