"""A port that stays ours from the moment it is chosen until a server listens on it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from bidlock_kube.errors import KubeError


@contextmanager
def reserved(address: str, port: int = 0) -> Iterator[int]:
    """Hold a port, a free one by default, without listening. A server that sets SO_REUSEPORT can bind it meanwhile.

    Raises:
        KubeError: the port is taken.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            holder.bind((address, port))
        except OSError as error:
            raise KubeError(f"port {port} of {address} is taken ({error.strerror}); choose another, or none to get a free one") from error
        yield holder.getsockname()[1]
