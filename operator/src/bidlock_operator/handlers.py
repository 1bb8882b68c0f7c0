"""Where kopf meets the operator: decorators and delegation, nothing else.

Only startup and one daemon: kopf then writes no annotation on any object. (It would with the first handler for creation,
update, deletion or a field.) It begins the loop of each policy and holds the finalizer; what the loop looks at comes from
`observing.copies`: kopf's indices keep what was deleted while a watch was interrupted, and its watches tell nobody their age.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Iterator
from typing import Any

import kopf
import structlog

from bidlock.errors import ConfigurationError
from bidlock_operator import logs, resources
from bidlock_operator.kube.connecting import ClusterUnreachable, load_configuration
from bidlock_operator.observing.copies import place_of
from bidlock_operator.observing.news import News, Place
from bidlock_operator.running import Operator
from bidlock_operator.settings import Settings

log = structlog.stdlib.get_logger("bidlock_operator")


DELETION = 90.0
"""Longest time that a deleted policy's bidders get, seconds; after it kopf lets the policy go, whatever its loop does."""


class Backoffs:
    """Seconds between kopf's tries of one request, as often as it needs: giving up a watch would end the process."""

    def __iter__(self) -> Iterator[float]:
        """Growing at first."""
        return itertools.chain((0.5, 1.0, 2.0), itertools.repeat(5.0))


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
    settings.peering.standalone = True  # kopf's peering is no leader election: peers of one priority all pause
    settings.persistence.finalizer = resources.FINALIZER
    settings.networking.request_timeout = own.api_timeout
    settings.networking.connect_timeout = own.api_timeout
    settings.networking.error_backoffs = Backoffs()
    settings.watching.inactivity_timeout = max(own.watch_silence, 10.0)  # it interrupts whatever the watcher does then
    settings.process.ultimate_exiting_timeout = 20.0  # below the usual grace period of a pod, 30 s


@kopf.daemon(
    resources.POLICY.group,
    resources.POLICY.version,
    resources.POLICY.plural,
    cancellation_backoff=DELETION,
    cancellation_timeout=5.0,
)
async def policy(body: kopf.Body, memo: kopf.Memo, stopped: kopf.DaemonStopped, **_: Any) -> None:
    """The one loop of a policy. It ends only with the policy or the operator: kopf never begins one anew, and takes the finalizer away."""
    place = place_of(body)
    waking = asyncio.create_task(wake_at_the_end(stopped, place, memo.operator.news))
    try:
        deleted = lambda: bool(body.metadata.get("deletionTimestamp"))  # noqa: E731 — it is asked later
        await memo.operator.attend(place, str(body.metadata["uid"]), stopped=lambda: bool(stopped), deleted=deleted)
    finally:
        waking.cancel()


async def wake_at_the_end(stopped: kopf.DaemonStopped, place: Place, news: News) -> None:
    """Wake a policy's loop when it shall end, however long it meant to sleep."""
    await stopped.wait()
    news.wake(place)
