"""What must hold before the operator begins; a failure ends the process with one line that says what to do."""

from __future__ import annotations

import asyncio

import aiohttp
from kubernetes.aio import client, config

from bidlock.errors import BidlockError


class ClusterUnreachable(BidlockError):
    """The operator cannot speak to the Kubernetes API."""


async def reach_cluster(*, timeout: float) -> str:
    """Load the credentials and ask the API server for its version.

    Args:
        timeout: Longest wait for the answer, seconds.

    Returns:
        The server's address.

    Raises:
        ClusterUnreachable: there are no usable credentials, or the server does not answer them.
    """
    configuration = await _load_configuration()
    try:
        async with client.ApiClient(configuration) as api, asyncio.timeout(timeout):
            await client.VersionApi(api).get_code_without_preload_content()
    except TimeoutError:
        raise ClusterUnreachable(f"the Kubernetes API at {configuration.host} did not answer within {timeout:g} s") from None
    except (aiohttp.ClientError, OSError, client.ApiException) as error:
        raise ClusterUnreachable(f"the Kubernetes API at {configuration.host} cannot be used: {error}") from None
    return configuration.host


async def _load_configuration() -> client.Configuration:
    configuration = client.Configuration()
    try:
        await _load_into(configuration)
    except Exception as error:  # a kubeconfig can be wrong in any way: missing, no YAML, no context …
        reason = " ".join(str(error).split())
        raise ClusterUnreachable(
            f"no usable Kubernetes credentials ({reason}); run in a pod with a service account, or set KUBECONFIG"
        ) from None
    return configuration


async def _load_into(configuration: client.Configuration) -> None:
    # In the order in which kopf looks for its own credentials.
    try:
        config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]  # that part of the client has no types
    except config.ConfigException:
        await config.load_kube_config(client_configuration=configuration)  # type: ignore[no-untyped-call]  # that part of the client has no types
