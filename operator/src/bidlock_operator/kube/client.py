"""The verbs of the Kubernetes API on plain objects."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from bidlock_operator.kube.errors import NotFound
from bidlock_operator.kube.transport import APPLY, MERGE, Request, Transport
from bidlock_operator.resources import Resource

MANAGER = "bidlock-operator"
"""Field manager of everything the operator applies."""

Body = dict[str, Any]


class Kube:
    """A client. Each verb is one request and may raise what `Transport.send` raises."""

    def __init__(self, transport: Transport, *, manager: str = MANAGER) -> None:
        self._transport = transport
        self._manager = manager

    async def get(self, kind: Resource, namespace: str, name: str) -> Body | None:
        """An object; None when it is not there."""
        try:
            return await self._transport.send(Request("GET", path(kind, namespace, name)))
        except NotFound:
            return None

    async def list(self, kind: Resource, namespace: str = "", labels: str = "") -> list[Body]:
        """Every object of a kind, in one namespace or in all; `labels` is a selector."""
        return list((await self.list_at(kind, namespace, labels))[0])

    async def list_at(self, kind: Resource, namespace: str = "", labels: str = "") -> tuple[Sequence[Body], str]:
        """The same, and the version from which a watch goes on."""
        query = {"labelSelector": labels} if labels else {}
        answer = await self._transport.send(Request("GET", path(kind, namespace), query))
        return tuple(answer.get("items") or ()), str((answer.get("metadata") or {}).get("resourceVersion", ""))

    def watch(
        self, kind: Resource, namespace: str, labels: str, since: str, *, lifetime: int, silence: float
    ) -> AbstractAsyncContextManager[AsyncIterator[Body]]:
        """Follow what happens to objects of a kind: events with `type` and `object`.

        Args:
            kind: Of the objects.
            namespace: Where; empty for everywhere.
            labels: A selector.
            since: The version after which it begins.
            lifetime: Seconds after which the server shall end it.
            silence: Longest wait for the next event, seconds. If nothing happens, the server sends a bookmark once a minute.
        """
        query = {"watch": "true", "allowWatchBookmarks": "true", "resourceVersion": since, "timeoutSeconds": str(lifetime)}
        return self._transport.follow(Request("GET", path(kind, namespace), query | ({"labelSelector": labels} if labels else {})), silence)

    async def create(self, kind: Resource, namespace: str, body: Mapping[str, Any], *, dry_run: bool = False) -> Body:
        """Make a new object; with `dry_run` let the server check, and make none."""
        query = {"fieldManager": self._manager} | ({"dryRun": "All"} if dry_run else {})
        return await self._transport.send(Request("POST", path(kind, namespace), query, body))

    async def replace(self, kind: Resource, namespace: str, name: str, body: Mapping[str, Any]) -> Body:
        """Replace an object; conditional when the body carries a resourceVersion."""
        return await self._transport.send(Request("PUT", path(kind, namespace, name), {"fieldManager": self._manager}, body))

    async def apply(self, kind: Resource, body: Mapping[str, Any], *, status: bool = False, dry_run: bool = False) -> Body:
        """Apply a manifest as its only owner: other managers' claims on the same fields are overruled.

        Args:
            kind: Of the object.
            body: With kind, apiVersion, name and namespace; conditional when it carries a resourceVersion.
            status: Apply the status subresource instead of the object.
            dry_run: Let the server check, and change nothing.
        """
        metadata = body["metadata"]
        place = path(kind, metadata["namespace"], metadata["name"]) + ("/status" if status else "")
        query = {"fieldManager": self._manager, "force": "true", "fieldValidation": "Strict"} | ({"dryRun": "All"} if dry_run else {})
        return await self._transport.send(Request("PATCH", place, query, body, APPLY))

    async def merge(self, kind: Resource, namespace: str, name: str, patch: Mapping[str, Any]) -> Body:
        """Change some fields of an object, and leave the others as they are."""
        request = Request("PATCH", path(kind, namespace, name), {"fieldManager": self._manager}, patch, MERGE)
        return await self._transport.send(request)

    async def delete(self, kind: Resource, namespace: str, name: str, *, uid: str = "") -> None:
        """Delete an object, and what it owns in the background; only the one with `uid`, if given. Gone already is fine."""
        body: Body = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        if uid:
            body["preconditions"] = {"uid": uid}
        try:
            await self._transport.send(Request("DELETE", path(kind, namespace, name), body=body))
        except NotFound:
            return


def path(kind: Resource, namespace: str = "", name: str = "") -> str:
    """Path of an object, or of a list without `name`; of all namespaces without `namespace`."""
    root = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    place = f"/namespaces/{namespace}" if namespace else ""
    return f"{root}{place}/{kind.plural}" + (f"/{name}" if name else "")
