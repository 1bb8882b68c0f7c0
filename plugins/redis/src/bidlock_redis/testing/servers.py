"""Start real Redis and Valkey servers as child processes, hurt them, and be sure they end with us.

with start("valkey-9.1", directory=tmp_path) as server:
    connect(server.url)
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from bidlock_redis.testing.binaries import FLAVOURS, Binary, available, find

__all__ = ["FLAVOURS", "Server", "ServerStartError", "available", "free_port", "start"]

START_SECONDS = 20.0
"""How long a server may take until it answers."""

STOP_SECONDS = 3.0
"""How long a server may take to end in order. One that writes its first append-only file ignores the request."""

_GUARD = 'read -r _; kill -KILL "$1" 2>/dev/null'
"""Waits for the end of our pipe, which the kernel closes however we end, then kills the server."""

_BASE = {"bind": "127.0.0.1", "save": "", "maxmemory-policy": "noeviction"}
_PATHS = ("dir", "logfile", "unixsocket")
"""Directives whose value is one word, whatever it holds."""
_DURABLE = {"appendonly": "yes", "appendfsync": "always", "no-appendfsync-on-rewrite": "no"}


class ServerStartError(Exception):
    """A server did not come up; the message ends with its log."""


@dataclass
class Server:
    """A server process of ours. Usable as a context manager, which stops it.

    Attributes:
        flavour: For example `valkey-9.1`.
        host: Where it listens; loopback only.
        port: Where it listens.
        directory: Its data and `server.log`.
        config: Its directives.
        arguments: What stands before the directives on its command line (a configuration file, `--sentinel`).
    """

    flavour: str
    binary: Binary
    directory: Path
    port: int
    config: dict[str, str]
    arguments: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _guard: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """For `bidlock.connect`; database 0, without a password."""
        return f"redis://{self.host}:{self.port}/0"

    @property
    def pid(self) -> int:
        """Of the server's process.

        Raises:
            ServerStartError: it does not run.
        """
        if self._process is None:
            raise ServerStartError(f"{self.flavour} does not run")
        return self._process.pid

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.directory / "server.log"

    def launch(self) -> None:
        """Start the process and return when it answers.

        Raises:
            ServerStartError: it ended, or did not answer in time.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        directives = {**self.config, "port": str(self.port), "dir": str(self.directory), "logfile": str(self.log)}
        command = [str(self.binary.path), *self.arguments]
        for name, value in directives.items():
            # Redis 6.2 wants each word of a directive for itself.
            command += [f"--{name}", *([value] if name in _PATHS else value.split() or [""])]
        environment = {**os.environ, **self.binary.environment}
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        self._guard = subprocess.Popen(["/bin/sh", "-c", _GUARD, "guard", str(self.pid)], stdin=subprocess.PIPE, start_new_session=True)
        try:
            self._await_answer()
        except ServerStartError:
            self.kill()
            raise

    def stop(self) -> None:
        """End the process in order (SIGTERM). Nothing happens when it does not run."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the process at once (SIGKILL)."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Start it again, stopping it first if it runs: the same port and data. Returns when it answers."""
        self.stop()
        self.launch()

    def pause(self) -> None:
        """Freeze the process (SIGSTOP)."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Thaw the process (SIGCONT)."""
        os.kill(self.pid, signal.SIGCONT)

    def flush(self) -> None:
        """Delete everything (FLUSHALL), and every script."""
        self.command("FLUSHALL")
        self.command("SCRIPT", "FLUSH")

    def command(self, *words: str | int) -> Any:
        """Run one command on a connection of its own and return the reply."""
        password = self.config.get("requirepass")
        with redis.Redis(self.host, self.port, password=password, decode_responses=True, retry=Retry(NoBackoff(), 0)) as client:
            return client.execute_command(*words)

    def _end(self, number: int) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGCONT)  # a frozen process takes no SIGTERM
            os.kill(self._process.pid, number)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
        if self._guard and self._guard.stdin:
            self._guard.kill()
            self._guard.stdin.close()
            self._guard.wait()
        self._guard = None

    def _await_answer(self) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if self._process and self._process.poll() is not None:
                raise ServerStartError(f"{self.flavour} ended with {self._process.returncode}: {self._log_end()}")
            if _answers(self.host, self.port):
                return
            time.sleep(0.01)
        raise ServerStartError(f"{self.flavour} did not answer in {START_SECONDS} s: {self._log_end()}")

    def _log_end(self) -> str:
        return self.log.read_text(errors="replace")[-1000:] if self.log.exists() else "no log"


def start(
    flavour: str = "valkey-9.1", *, directory: Path, port: int = 0, config: Mapping[str, str] | None = None, durable: bool = True
) -> Server:
    """Start a server and return when it answers.

    Args:
        flavour: One of `available()`.
        directory: For its data and its log.
        port: Where to listen on loopback; 0 for a free one.
        config: Directives, on top of ours (loopback, no RDB file, `noeviction`).
        durable: Whether every write is on disk before it is answered (append-only file, `appendfsync always`).

    Raises:
        ServerStartError: this machine has no such server, or it did not come up.
    """
    binary = find(flavour)
    if binary is None:
        raise ServerStartError(f"there is no {flavour} on this machine; available: {', '.join(available())}")
    directives = {**_BASE, **(_DURABLE if durable else {}), **(config or {})}
    server = Server(flavour, binary, directory, port or free_port(), directives)
    server.launch()
    return server


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _answers(host: str, port: int) -> bool:
    """Whether a server there answers PING, and is not loading its data."""
    try:
        with socket.create_connection((host, port), timeout=1.0) as probe:
            probe.sendall(b"PING\r\n")
            return probe.recv(64).startswith((b"+PONG", b"-NOAUTH"))
    except OSError:
        return False
