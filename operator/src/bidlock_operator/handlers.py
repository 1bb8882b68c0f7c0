"""Where kopf meets the operator: decorators and delegation, nothing else.

Only startup and event handlers: kopf then writes no annotation on any object. (It would with the first handler for
creation, update, deletion or a field.)
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

import kopf
import structlog

from bidlock.errors import ConfigurationError
from bidlock_operator import logs, policies, preflight, resources
from bidlock_operator.kube.connecting import ClusterUnreachable, load_configuration
from bidlock_operator.manifests import naming, objects
from bidlock_operator.observing.children import WATCHED
from bidlock_operator.observing.news import News, Place
from bidlock_operator.resources import Resource
from bidlock_operator.running import Operator
from bidlock_operator.settings import Settings

log = structlog.stdlib.get_logger("bidlock_operator")


OURS = {objects.POLICY_LABEL: kopf.PRESENT}
DELETION = 90.0
"""Longest time that a deleted policy's bidders get, seconds; after it kopf lets the policy go, whatever its loop does."""

_unwatchable: set[Resource] = set()
"""Kinds that the operator may not watch; known when it leads, before kopf looks which kinds there are."""


def watched(kind: Resource) -> Callable[[kopf.Resource], bool]:
    """Selects a kind, unless it cannot be watched: kopf ends the process when a watch stays forbidden."""

    def selects(resource: kopf.Resource) -> bool:
        return kind not in _unwatchable and (resource.group, resource.version, resource.plural) == (kind.group, kind.version, kind.plural)

    return selects


@kopf.on.startup()
async def begin(settings: kopf.OperatorSettings, memo: kopf.Memo, **_: Any) -> None:
    """Read our settings, adjust kopf's, and wait until this replica leads; kopf watches nothing before.

    Raises:
        SystemExit: kopf shows the traceback of any other exception; a human wants the one line.
    """
    await asyncio.sleep(0)  # kopf's other tasks get to begin; ended before that, they are reported as never awaited
    try:
        own = Settings.read(os.environ)
        logs.configure(own)
        adjust(settings, own)
        memo.operator = Operator(own, namespaces=own.namespaces)
        await memo.operator.begin()
        _unwatchable.clear()
        _unwatchable.update(preflight.unwatched(memo.operator.missing))
    except (ConfigurationError, ClusterUnreachable) as error:
        raise SystemExit(f"bidlock-operator: {error}") from None


@kopf.on.login()
async def login(**_: Any) -> kopf.ConnectionInfo:
    """The same credentials for kopf's watches as for everything else.

    Raises:
        LoginError: there are none that can be used any more.
    """
    try:
        found = await load_configuration()
    except ClusterUnreachable as error:
        raise kopf.LoginError(str(error)) from None
    bearer = (await found.auth_settings()).get("BearerToken", {}).get("value") or ""
    scheme, _space, token = bearer.rpartition(" ")
    return kopf.ConnectionInfo(
        server=found.host,
        ca_path=found.ssl_ca_cert,
        ca_data=found.ca_cert_data,
        insecure=not found.verify_ssl,
        scheme=scheme or None,
        token=token or None,
        certificate_path=found.cert_file,
        private_key_path=found.key_file,
    )


@kopf.on.cleanup()
async def end(memo: kopf.Memo, **_: Any) -> None:
    """Give the Lease back, after everything else has ended."""
    await memo.operator.end()


def adjust(settings: kopf.OperatorSettings, own: Settings) -> None:
    """Set what kopf's defaults leave unsafe or noisy for us."""
    settings.posting.enabled = False  # kopf's events are neither aggregated nor limited
    settings.scanning.disabled = True  # it would need to list definitions and namespaces, and the definition is there
    for kind in WATCHED:
        settings.watching.label_selectors[watched(kind)] = objects.POLICY_LABEL
    settings.peering.standalone = True  # kopf's peering is no leader election: peers of one priority all pause
    settings.persistence.finalizer = resources.FINALIZER
    settings.networking.request_timeout = own.api_timeout
    settings.networking.connect_timeout = own.api_timeout
    settings.process.ultimate_exiting_timeout = 20.0  # below the usual grace period of a pod, 30 s


@kopf.on.event(resources.POLICY.group, resources.POLICY.version, resources.POLICY.plural)
async def policy_event(body: kopf.Body, type: str | None, memo: kopf.Memo, **_: Any) -> None:  # noqa: A002 — kopf passes it by this name
    """A policy changed: remember it, and wake its loop."""
    memo.operator.news.policy(place_of(body), None if type == "DELETED" else dict(body))


@kopf.daemon(
    resources.POLICY.group,
    resources.POLICY.version,
    resources.POLICY.plural,
    cancellation_backoff=DELETION,
    cancellation_timeout=5.0,
)
async def policy(body: kopf.Body, memo: kopf.Memo, stopped: kopf.DaemonStopped, **indices: Any) -> None:
    """The one loop of a policy. It ends only with the policy or the operator: kopf never begins one anew, and takes the finalizer away."""
    memo.operator.cache.indices = {kind: indices[kind.plural] for kind in WATCHED}
    place = place_of(body)
    waking = asyncio.create_task(wake_at_the_end(stopped, place, memo.operator.news))
    try:
        await memo.operator.attend(place, stopped=lambda: bool(stopped), deleted=lambda: bool(body.metadata.get("deletionTimestamp")))
    finally:
        waking.cancel()


async def wake_at_the_end(stopped: kopf.DaemonStopped, place: Place, news: News) -> None:
    """Wake a policy's loop when it shall end, however long it meant to sleep."""
    await stopped.wait()
    news.wake(place)


async def child_event(namespace: str | None, labels: kopf.Labels, memo: kopf.Memo, **_: Any) -> None:
    """Something that belongs to a policy changed: wake the policy's loop."""
    memo.operator.news.wake((namespace or "", labels[objects.POLICY_LABEL]))


def child(body: kopf.Body, namespace: str | None, labels: kopf.Labels, **_: Any) -> dict[Place, dict[str, Any]]:
    """What belongs to a policy, by policy."""
    return {(namespace or "", labels[objects.POLICY_LABEL]): slim(body)}


for _kind in WATCHED:
    kopf.index(watched(_kind), id=_kind.plural, labels=OURS)(child)
    kopf.on.event(watched(_kind), id=f"{_kind.plural}_event", labels=OURS)(child_event)


def place_of(body: kopf.Body) -> Place:
    """Under which name a policy's objects are found."""
    return str(body.metadata.namespace), naming.label(policies.read(body))


def slim(body: kopf.Body) -> dict[str, Any]:
    """An object without what nobody reads; of a workload it matters who sets its number of pods."""
    kept = dict(body)
    metadata = dict(kept["metadata"])
    managers = metadata.pop("managedFields", ())
    metadata["managedFields"] = [
        {key: entry.get(key) for key in ("manager", "subresource")} for entry in managers if entry.get("subresource") == "scale"
    ]
    return kept | {"metadata": metadata}
