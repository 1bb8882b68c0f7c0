"""Children as they should be: applied when they are missing, changed by somebody, or should be different; else left alone."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Container, Iterable, Mapping
from typing import Any

from bidlock_operator.kube import kinds
from bidlock_operator.kube.client import Kube
from bidlock_operator.kube.errors import Forbidden, NotFound, Refused
from bidlock_operator.observing.children import Body, Children
from bidlock_operator.resources import Resource

_AROUND = frozenset({"apiVersion", "kind", "metadata", "status"})

UNSEEN_EVERY = 300.0
"""Seconds between two applications of a child whose kind is not watched."""

IMPOSSIBLE_EVERY = 10.0
"""Seconds between two tries of what the server refused: a storage class or a webhook may be mended meanwhile."""

OPTIONAL = (kinds.DISRUPTION_BUDGET, kinds.NETWORK_POLICY)
"""Kinds without which a fleet works; a right that is missing, or the kind itself, is told, and no error."""


class Appliance:
    """Remembers how each child looked after it was applied; whatever looks different since then is applied again."""

    def __init__(self, kube: Kube, unwatched: Container[Resource] = ()) -> None:
        """Nothing is applied yet.

        Args:
            kube: The API server.
            unwatched: Kinds that the watches do not tell of, beside Secrets.
        """
        self._kube = kube
        self._unwatched = unwatched
        self._applied: dict[tuple[str, str], tuple[str, str]] = {}
        self._unseen: dict[tuple[str, str], float] = {}
        self.refused: dict[tuple[str, str], str] = {}
        """What the server said of children that go without, by kind and name."""
        self.impossible: dict[tuple[str, str], str] = {}
        """What it said of children that cannot be as they are asked for; what there is of them stays."""

    async def apply(self, manifests: Iterable[Mapping[str, Any]], children: Children) -> list[str]:
        """Apply what needs it.

        Returns:
            What was applied, as `Kind/name`.

        Raises:
            KubeError: the API server did not take one that would be possible; the others before it were taken.
        """
        return [f"{manifest['kind']}/{manifest['metadata']['name']}" for manifest in manifests if await self._apply(manifest, children)]

    async def prune(self, manifests: Iterable[Mapping[str, Any]], children: Children, owner: str) -> list[str]:
        """Delete the children of this owner that should not be there. Claims are never deleted.

        Args:
            manifests: All that should be there.
            children: What is there.
            owner: The policy's uid.
        """
        kept = {(str(manifest["kind"]), str(manifest["metadata"]["name"])) for manifest in manifests}
        self.impossible = {key: said for key, said in self.impossible.items() if key in kept}
        gone = []
        for (kind, name), body in children.objects.items():
            if (kind, name) in kept or kind == kinds.CLAIM.kind or not owned(body, owner) or body["metadata"].get("deletionTimestamp"):
                continue
            if await self._delete(kinds.of(dict(body)), body):
                gone.append(f"{kind}/{name}")
        return gone

    async def _delete(self, kind: Resource, body: Body) -> bool:
        key = (kind.kind, str(body["metadata"]["name"]))
        if key in self.refused and time.monotonic() - self._unseen[key] < UNSEEN_EVERY:
            return False
        self._applied.pop(key, None)
        self._unseen[key] = time.monotonic()
        try:
            await self._kube.delete(kind, str(body["metadata"]["namespace"]), key[1], uid=str(body["metadata"]["uid"]))
        except Forbidden as error:
            self._refuse(kind, key, error)
            return False
        self.refused.pop(key, None)
        return True

    async def _apply(self, manifest: Mapping[str, Any], children: Children) -> bool:
        kind = kinds.of(dict(manifest))
        key = (kind.kind, str(manifest["metadata"]["name"]))
        wanted = _digest(manifest)
        if not self._due(kind, key, wanted, children):
            return False
        try:
            body = await self._kube.apply(kind, manifest)
            self.refused.pop(key, None)
            self.impossible.pop(key, None)
        except Refused as error:
            if _impossible(error, kind, there=key in children.objects):
                self.impossible[key] = str(error)
            else:
                self._refuse(kind, key, error)
            body = {}
        self._applied[key] = (wanted, looks(body))
        self._unseen[key] = time.monotonic()
        return bool(body)

    def _refuse(self, kind: Resource, key: tuple[str, str], error: Refused) -> None:
        """Go on without an optional kind."""
        if kind not in OPTIONAL or not isinstance(error, Forbidden | NotFound):
            raise error
        self.refused[key] = str(error)

    def _due(self, kind: Resource, key: tuple[str, str], wanted: str, children: Children) -> bool:
        applied = self._applied.get(key)
        if applied is None or applied[0] != wanted:
            return True
        if key in self.impossible:
            return time.monotonic() - self._unseen[key] >= IMPOSSIBLE_EVERY
        if kind is kinds.SECRET or kind in self._unwatched or key in self.refused:
            return time.monotonic() - self._unseen[key] >= UNSEEN_EVERY
        there = children.objects.get(key)
        return looks(there or {}) != applied[1]


def _impossible(error: Refused, kind: Resource, *, there: bool) -> bool:
    """Whether asking again is no use. A claim that must not grow is answered like a right that is missing."""
    return error.of_the_object or (isinstance(error, Forbidden) and kind is kinds.CLAIM and there)


def looks(body: Body) -> str:
    """What changes when somebody changes an object, and not when its controller reports on it."""
    metadata = body.get("metadata") or {}
    # Claims, Services and ConfigMaps have no generation; their resourceVersion also counts what their controllers write.
    version = metadata.get("generation") or {name: part for name, part in body.items() if name not in _AROUND}
    return _digest([metadata.get("uid"), version, metadata.get("labels"), metadata.get("ownerReferences")])


def owned(body: Body, uid: str) -> bool:
    """Whether an object goes when its owner goes."""
    return any(owner.get("uid") == uid for owner in body["metadata"].get("ownerReferences") or ())


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
