"""The cluster's DNS, as far as Redis is reached by it: the name of a Service leads to the pod behind it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from typing import Any
from unittest import mock

from simulation.kubelet import Kubelet

DOMAIN = ".svc.cluster.local"


@contextlib.contextmanager
def resolved(node: Kubelet) -> Iterator[None]:
    """In this process, while the block runs: Services of Redis have the address of its pod on this node."""
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **named: Any) -> Any:
        if not isinstance(host, str) or not host.endswith(DOMAIN):
            return real(host, *arguments, **named)
        _service, namespace = host.removesuffix(DOMAIN).split(".")
        running = node.of(namespace, "redis")
        if not running:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(running[0].address, *arguments, **named)

    with mock.patch.object(socket, "getaddrinfo", getaddrinfo):
        yield
