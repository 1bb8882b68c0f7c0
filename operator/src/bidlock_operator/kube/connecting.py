"""From the environment's credentials to an open client."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kubernetes.aio import client, config

from bidlock.errors import BidlockError
from bidlock_operator.kube.transport import HttpTransport


class ClusterUnreachable(BidlockError):
    """The operator cannot speak to the Kubernetes API."""


@asynccontextmanager
async def connected(timeout: float) -> AsyncIterator[HttpTransport]:
    """A transport with the credentials of the pod's service account, else of KUBECONFIG; nothing is sent yet.

    Args:
        timeout: Longest wait for one answer, seconds.

    Raises:
        ClusterUnreachable: there are no usable credentials.
    """
    async with client.ApiClient(await load_configuration()) as api:
        yield HttpTransport(api, timeout)


async def load_configuration() -> client.Configuration:
    """Credentials, in the order in which kopf looks for its own.

    Raises:
        ClusterUnreachable: there are none that can be used.
    """
    configuration = client.Configuration()
    configuration.connection_pool_maxsize = 0  # each watch keeps a connection; how much is asked at once is bounded by the transport
    try:
        await _load_into(configuration)
    except Exception as error:  # a kubeconfig can be wrong in any way: missing, no YAML, no context …
        reason = " ".join(str(error).split())
        raise ClusterUnreachable(
            f"no usable Kubernetes credentials ({reason}); run in a pod with a service account, or set KUBECONFIG"
        ) from None
    return configuration


async def _load_into(configuration: client.Configuration) -> None:
    try:
        config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]  # that part of the client has no types
    except config.ConfigException:
        await config.load_kube_config(os.environ.get("KUBECONFIG"), client_configuration=configuration)  # type: ignore[no-untyped-call]  # that part of the client has no types
