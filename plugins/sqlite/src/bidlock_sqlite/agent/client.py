"""The calling side: an origin store behind an agent."""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import aiohttp

from bidlock.addresses import Address
from bidlock.backend import BackendConfig
from bidlock.errors import BackendAmbiguous, BackendUnavailable, ConfigurationError, UnfitStore
from bidlock.migration.port import Constitution, MarkerRow, Outcome, Tail
from bidlock.migration.sight import Origin
from bidlock_sqlite.agent import tokens, wire

_OPTIONS = frozenset({"token_file", "ca_file"})


class AgentOrigin:
    """A file that a fleet comes from, on another machine. Every verb is one request on a connection of its own.

    Args:
        config: `sqlite+http://host:port` or `sqlite+https://host:port`; the token as the URL's password, in the file
            of the option `token_file`, or in the variable `BIDLOCK_AGENT_TOKEN`; `ca_file` for a certificate that the
            system does not trust.

    Raises:
        ConfigurationError: the URL says something else, or there is no token.
    """

    def __init__(self, config: BackendConfig) -> None:
        self._shown = str(config.address)
        self._base = _base(config.address)
        self._headers = {"Authorization": f"Bearer {_token(config.address)}"}
        self._ssl = _context(config.address)
        self._buckets = config.buckets
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=config.timeout, sock_read=config.timeout + wire.PATIENCE)
        self._session: aiohttp.ClientSession | None = None
        self._seen = ""

    async def open(self) -> None:
        """See `MigratableStore.open`."""
        await self.survey(0)

    async def close(self) -> None:
        """See `MigratableStore.close`."""
        session, self._session = self._session, None
        if session:
            await session.close()

    async def survey(self, epoch: int) -> Origin:
        """See `OriginStore.survey`."""
        origin = cast("Origin", await self._ask("survey", epoch=epoch))
        self._seen = origin.domain
        return origin

    async def constitute(self, constitution: Constitution, modes: frozenset[str]) -> Outcome:
        """See `OriginStore.constitute`. The agent makes no file."""
        return await self._write("constitute", constitution=constitution, modes=modes)

    async def fence(self, modes: frozenset[str], epoch: int, bucket: int = 0) -> Outcome:
        """See `MigratableStore.fence`."""
        return await self._write("fence", modes=modes, epoch=epoch)

    async def open_mode(self, mode: str, epoch: int, bucket: int = 0) -> Outcome:
        """See `MigratableStore.open_mode`."""
        return await self._write("open_mode", mode=mode, epoch=epoch)

    async def close_mode(self, mode: str, epoch: int, bucket: int = 0) -> Outcome:
        """See `MigratableStore.close_mode`."""
        return await self._write("close_mode", mode=mode, epoch=epoch)

    async def raise_watermark(self, watermark_ms: int, epoch: int, bucket: int = 0) -> Outcome:
        """See `MigratableStore.raise_watermark`."""
        return await self._write("raise_watermark", watermark_ms=watermark_ms, epoch=epoch)

    async def copy_out(self, bucket: int) -> AsyncIterator[list[MarkerRow]]:
        """See `MigratableStore.copy_out`."""
        rows: list[MarkerRow] = []
        async with self._request("copy_out", {"bucket": bucket}) as response:
            async for line in response.content:
                said = _json(line, self._shown)
                if isinstance(said, dict):
                    break
                rows.append(wire.marker(said))
                if len(rows) == wire.ROWS:
                    yield rows
                    rows = []
            else:
                raise BackendUnavailable(f"the agent at {self._shown} ended its answer too early; is it being stopped?")
            if "end" not in said:
                raise _failed(response.status, said, self._shown)
        if rows:
            yield rows

    async def tail(self, bucket: int) -> Tail:
        """See `MigratableStore.tail`."""
        return cast("Tail", await self._ask("tail", bucket=bucket))

    async def copy_in(self, rows: list[MarkerRow], bucket: int, seen: str) -> Outcome:
        """See `MigratableStore.copy_in`."""
        for start in range(0, len(rows), wire.ROWS):
            outcome = await self._write("copy_in", rows=rows[start : start + wire.ROWS], bucket=bucket, seen=seen)
            if outcome is not Outcome.OK:
                return outcome
        return Outcome.OK

    async def stamp(self, tail: Tail, epoch: int, bucket: int, seen: str) -> Outcome:
        """See `MigratableStore.stamp`."""
        return await self._write("stamp", tail=tail, epoch=epoch, bucket=bucket, seen=seen)

    async def install_fence(self, epoch: int) -> Outcome:
        """See `SqliteOrigin.install_fence`."""
        return await self._write("install_fence", epoch=epoch)

    async def remove_fence(self, epoch: int) -> Outcome:
        """See `SqliteOrigin.remove_fence`."""
        return await self._write("remove_fence", epoch=epoch)

    async def _write(self, verb: str, **arguments: Any) -> Outcome:
        return cast("Outcome", await self._ask(verb, **arguments))

    async def _ask(self, verb: str, **arguments: Any) -> Any:
        async with self._request(verb, arguments) as response:
            said = _json(await response.read(), self._shown)
            return wire.answered(verb, said["answer"])

    @asynccontextmanager
    async def _request(self, verb: str, arguments: dict[str, Any]) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer to a verb; every way to fail becomes the port's."""
        body = {name: wire.plain(value) for name, value in arguments.items()} | {"buckets": self._buckets, "domain": self._seen}
        try:
            async with self._opened().post(self._base + wire.PREFIX + verb, json=body, headers=self._headers, ssl=self._ssl) as response:
                if response.status != 200:
                    raise _failed(response.status, _json(await response.read(), self._shown), self._shown)
                yield response
        except aiohttp.ClientSSLError as error:
            raise ConfigurationError(f"no trusted connection to {self._shown}: {error}; name its certificate with ?ca_file=") from error
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise BackendUnavailable(f"the agent at {self._shown} is not reached: {error or 'no answer'}") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise BackendAmbiguous(f"the answer of the agent at {self._shown} was lost: {error or type(error).__name__}") from error

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            # A connection that was kept may be dead, and then nobody could say whether a verb was done.
            self._session = aiohttp.ClientSession(timeout=self._timeout, connector=aiohttp.TCPConnector(force_close=True))
        return self._session


def _base(address: Address) -> str:
    if len(address.hosts) != 1 or address.username or address.path not in {"", "/"}:
        raise ConfigurationError(f"{address} is no agent's URL; write sqlite+http://host:{wire.PORT} or sqlite+https://host:{wire.PORT}")
    if unknown := sorted(address.options.keys() - _OPTIONS):
        raise ConfigurationError(f"{address.scheme}:// knows no option {', '.join(unknown)}; it knows {', '.join(sorted(_OPTIONS))}")
    ((host, port),) = address.hosts
    return f"{address.scheme.removeprefix('sqlite+')}://{f'[{host}]' if ':' in host else host}:{port or wire.PORT}"


def _token(address: Address) -> str:
    if address.password:
        return address.password
    if file := address.option("token_file"):
        return tokens.from_file(file)
    if token := os.environ.get(tokens.VARIABLE, "").strip():
        return token
    raise ConfigurationError(f"the agent's token is not configured; add ?token_file=FILE to the URL, or set {tokens.VARIABLE}")


def _context(address: Address) -> ssl.SSLContext | bool:
    file = address.option("ca_file")
    if not file:
        return True
    try:
        return ssl.create_default_context(cafile=file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"ca_file={file} cannot be used: {error}") from error


def _json(text: bytes, shown: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise ConfigurationError(f"{shown} is no bidlock agent; check host and port") from None


def _failed(status: int, said: Any, shown: str) -> BackendUnavailable | BackendAmbiguous | ConfigurationError:
    reason, kind = (said.get("error", ""), said.get("kind", "")) if isinstance(said, dict) else ("", "")
    if status == 401:
        return ConfigurationError(f"the agent at {shown} refuses the token; give the one that its --token-file holds")
    if kind == "ambiguous" or (status == 500 and not kind):
        return BackendAmbiguous(f"the agent at {shown} says: {reason or 'it failed'}")
    if kind == wire.UNFIT:
        return UnfitStore(f"the agent at {shown} says: {reason}", reason=str(said.get("reason", "")))
    if kind == "unavailable":
        return BackendUnavailable(f"the agent at {shown} says: {reason}")
    return ConfigurationError(f"the agent at {shown} does not understand ({status} {reason}); do both sides run the same version?")
