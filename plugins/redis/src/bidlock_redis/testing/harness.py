"""Redis and Valkey for the conformance kit."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from bidlock_redis.testing.servers import Server, ServerStartError, available, start


class RedisHarness:
    """One durable server; every test gets a prefix of its own."""

    variants: ClassVar[tuple[str, ...]] = available()

    def __init__(self, directory: Path, variant: str) -> None:
        self._directory = directory
        self._variant = variant
        self._server: Server | None = None
        self._prefixes = itertools.count(1)

    @property
    def server(self) -> Server:
        """The running server.

        Raises:
            ServerStartError: it was not started.
        """
        if self._server is None:
            raise ServerStartError(f"{self._variant} was not started")
        return self._server

    @property
    def tcp(self) -> tuple[str, int]:
        """Where the server listens."""
        return self.server.host, self.server.port

    def start(self) -> None:
        """Start the server and return when it answers."""
        self._server = start(self._variant, directory=self._directory)

    def stop(self) -> None:
        """End the server."""
        if self._server is not None:
            self._server.stop()

    def fresh_url(self) -> str:
        """URL of a store under a prefix that no other test has."""
        return f"{self.server.url}?prefix=kit{next(self._prefixes)}"

    def url_through(self, url: str, host: str, port: int) -> str:
        """The same store through a proxy."""
        split = urlsplit(url)
        return split._replace(netloc=f"{host}:{port}").geturl()

    def kill(self) -> None:
        """SIGKILL the server."""
        self.server.kill()

    def restart(self) -> None:
        """Start it again over the same data."""
        self.server.restart()

    def pause(self) -> None:
        """Freeze the server."""
        self.server.pause()

    def resume(self) -> None:
        """Thaw the server."""
        self.server.resume()
