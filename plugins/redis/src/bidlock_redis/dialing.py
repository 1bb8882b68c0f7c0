"""Open one connection with redis-py, which does TCP, unix sockets, TLS, authentication and Sentinel discovery.

What fails here failed before anything of ours was sent: it did not happen.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import Any

from redis import exceptions
from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.sentinel import Sentinel

from bidlock.errors import BackendUnavailable, ConfigurationError
from bidlock_redis import facts
from bidlock_redis.options import Options


@dataclass(frozen=True, slots=True)
class Dialled:
    """An open connection and what its server said.

    Attributes:
        connection: Logged in, its database selected, nothing in flight.
        server: Facts about the server at its other end.
        where: For humans.
    """

    connection: AbstractConnection
    server: facts.ServerFacts
    where: str

    def hand_over(self, protocol: asyncio.Protocol) -> tuple[asyncio.WriteTransport, asyncio.BaseProtocol]:
        """Let `protocol` read the connection from now on.

        Returns:
            The transport to write to, and redis-py's own protocol: it must be told when the connection is lost.
        """
        writer = self.connection._writer  # noqa: SLF001 # redis-py has no public way to hand its socket over
        assert writer is not None  # noqa: S101 # it is connected
        transport = writer.transport
        former = transport.get_protocol()
        transport.set_protocol(protocol)
        return transport, former


class Dialer:
    """Opens connections to one place: a host, a socket, or whatever Sentinel says is the master now."""

    def __init__(self, options: Options, timeout: float, host: tuple[str, int] | None = None) -> None:
        self._options = options
        self.timeout = timeout
        self._host = host or (options.hosts[0] if options.hosts else ("", 0))

    async def dial(self) -> Dialled:
        """Open a connection to a server that can be trusted.

        Raises:
            ConfigurationError: the server refuses us, or we refuse the server; with the remedy.
            BackendUnavailable: not reached.
        """
        try:
            async with asyncio.timeout(self.timeout):
                return await self._dial()
        except TimeoutError:
            raise BackendUnavailable(f"{self.where} did not answer in {self.timeout:g} s") from None

    @property
    def where(self) -> str:
        """The place, for humans."""
        if self._options.kind == "unix":
            return self._options.path
        if self._options.kind == "sentinel":
            return f"the master {self._options.service!r}"
        return f"{self._host[0]}:{self._host[1]}"

    async def _dial(self) -> Dialled:
        connection = self._connection(await self._master() if self._options.kind == "sentinel" else self._host)
        try:
            await connection.connect()  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
            server = await self._facts(connection)
            self._check(server)
        except exceptions.RedisError as error:
            await connection.disconnect(nowait=True)
            raise self._translated(error) from error
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        return Dialled(connection, server, self.where)

    def _connection(self, host: tuple[str, int]) -> AbstractConnection:
        options = self._options
        common: dict[str, Any] = {
            "db": options.db,
            "username": options.username or None,
            "password": options.password or None,
            "socket_timeout": self.timeout,
            "socket_connect_timeout": self.timeout,
            "protocol": 2,
            "driver_info": None,
            "retry": None,  # re-sending is ours: only we know what is safe to send twice
        }
        if options.kind == "unix":
            return UnixDomainSocketConnection(path=options.path, **common)
        place: dict[str, Any] = {"host": host[0], "port": host[1], "socket_keepalive": True}
        if options.tls is not None:
            tls: dict[str, Any] = dict(options.tls)
            return SSLConnection(**place, **common, **tls)
        return Connection(**place, **common)

    async def _master(self) -> tuple[str, int]:
        options = self._options
        login = {"username": options.sentinel_username or None, "password": options.sentinel_password or None}
        tls = {"ssl": True, **options.tls} if options.tls is not None else {}
        arguments = {"socket_timeout": self.timeout, "socket_connect_timeout": self.timeout, "retry": None, **login, **tls}
        sentinel = Sentinel(options.hosts, sentinel_kwargs=arguments)  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
        try:
            host, port = await sentinel.discover_master(options.service)
        except exceptions.RedisError as error:
            raise self._translated(error) from error
        finally:
            await sentinel.aclose()
        return str(host), int(port)

    async def _facts(self, connection: AbstractConnection) -> facts.ServerFacts:
        for section in facts.SECTIONS:  # several at once are understood only since Redis 7
            await connection.send_command("INFO", section)
        said = [await connection.read_response() for _ in facts.SECTIONS]
        return facts.read("\n".join(text.decode() if isinstance(text, bytes) else str(text) for text in said))

    def _check(self, server: facts.ServerFacts) -> None:
        if self._options.kind in ("sentinel", "cluster") and not server.master:
            raise BackendUnavailable(f"{self.where} is a replica now; a failover is under way")
        facts.check(server, self.where, may_evict=self._options.may_evict)

    def _translated(self, error: exceptions.RedisError) -> ConfigurationError | BackendUnavailable:
        text = str(error)
        if isinstance(error, exceptions.AuthenticationError | exceptions.NoPermissionError):
            return ConfigurationError(f"{self.where} refused to log us in ({text}); check user and password in the URL, and the user's ACL")
        if "DB index is out of range" in text:
            return ConfigurationError(f"{self.where} has no database {self._options.db}; check the number at the end of the URL")
        if isinstance(error.__context__, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in text:
            return ConfigurationError(f"the certificate of {self.where} is not trusted ({text}); name its authority with ssl_ca_certs=")
        return BackendUnavailable(f"{self.where} was not reached: {text}")
