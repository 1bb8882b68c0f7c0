"""`bidlock agent`: serve one SQLite file to controllers on other machines."""

from __future__ import annotations

import asyncio
import signal
import ssl
import sys
from pathlib import Path
from typing import Annotated

import typer

from bidlock.addresses import Address
from bidlock.backend import BackendConfig
from bidlock.errors import ConfigurationError, UnfitStore
from bidlock_sqlite.agent import tokens, wire

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def agent(
    file: Annotated[Path, typer.Option("--file", metavar="FILE", help="The SQLite file to serve; it must exist.")],
    token_file: Annotated[
        Path, typer.Option("--token-file", metavar="FILE", help="Holds the token that clients must send; read anew for each request.")
    ],
    listen: Annotated[
        str, typer.Option("--listen", metavar="HOST:PORT", help="Where to listen; port 0 for any.")
    ] = f"127.0.0.1:{wire.PORT}",
    tls_cert: Annotated[Path | None, typer.Option("--tls-cert", metavar="FILE", help="Certificate (PEM); serves https.")] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", metavar="FILE", help="Its private key (PEM).")] = None,
) -> None:
    """Serve one SQLite file to `bidlock migrate` on another machine, as sqlite+http://HOST:PORT. Never creates the file."""
    host, port = _place(listen)
    tokens.from_file(token_file)  # one that cannot be used is told before anything is served
    context = _tls(tls_cert, tls_key)
    if not file.is_file():
        raise ConfigurationError(f"{file} does not exist; an agent never creates one. Name the file that the bidders use")
    if context is None and host not in _LOOPBACK:
        _say(f"warning: on {host} the token travels in clear text; give --tls-cert and --tls-key, or let a proxy do TLS")
    asyncio.run(_serve(file.resolve(), token_file, host, port, context))


async def _serve(file: Path, token_file: Path, host: str, port: int, context: ssl.SSLContext | None) -> None:
    from aiohttp import web  # the command line's help must not need it

    from bidlock_sqlite.agent.server import application
    from bidlock_sqlite.controlled import SqliteOrigin

    config = BackendConfig(Address("sqlite", path=f"/{file}"), timeout=wire.PATIENCE)
    try:
        await SqliteOrigin(config, may_create=False).open()
    except UnfitStore as error:
        _say(f"warning: {error}. Nothing is done in the file; whoever asks is told why")
    stopped = _stop_signal()
    runner = web.AppRunner(application(config, lambda: tokens.from_file(token_file)), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, ssl_context=context, shutdown_timeout=wire.PATIENCE)
        try:
            await site.start()
        except OSError as error:
            raise ConfigurationError(f"cannot listen on {host}:{port}: {error.strerror}; choose another --listen") from None
        bound = runner.addresses[0][1]
        _say(f"serving {file} on http{'s' if context else ''}://{f'[{host}]' if ':' in host else host}:{bound}")
        await stopped.wait()
    finally:
        await runner.cleanup()


def _stop_signal() -> asyncio.Event:
    """Set when somebody asks the process to end; what is being answered is answered first."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return stopped


def _place(listen: str) -> tuple[str, int]:
    host, separator, port = listen.rpartition(":")
    if not separator or not host or not port.isdecimal() or int(port) > 65535:
        raise ConfigurationError(f"--listen {listen} is no host:port; write for example 127.0.0.1:{wire.PORT}")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _tls(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise ConfigurationError("--tls-cert and --tls-key go together; give both or neither")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"--tls-cert {certificate} and --tls-key {key} cannot be used: {error}") from None
    return context


def _say(text: str) -> None:
    sys.stderr.write(f"bidlock agent: {text}\n")
    sys.stderr.flush()
