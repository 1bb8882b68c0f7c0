"""What a URL of ours may say."""

from __future__ import annotations

from dataclasses import dataclass, field

from bidlock.addresses import Address
from bidlock.errors import ConfigurationError

SCHEMES = ("redis", "rediss", "valkey", "valkeys", "redis+unix", "redis+sentinel", "redis+cluster")

PORT = 6379
SENTINEL_PORT = 26379

_TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_COMMON = ("prefix", "proxied", "wait_replicas")
_TLS = (*_TLS_FILES, "ssl_check_hostname")
KNOWN: dict[str, tuple[str, ...]] = {
    "redis": _COMMON,
    "valkey": _COMMON,
    "rediss": (*_COMMON, *_TLS),
    "valkeys": (*_COMMON, *_TLS),
    "redis+unix": (*_COMMON, "db"),
    "redis+sentinel": (*_COMMON, *_TLS, "tls", "sentinel_username", "sentinel_password"),
    "redis+cluster": (*_COMMON, *_TLS, "tls"),
}
"""Query options by scheme."""


@dataclass(frozen=True, slots=True)
class Options:
    """A checked URL.

    Attributes:
        kind: `tcp`, `unix`, `sentinel` or `cluster`.
        hosts: `(host, port)` pairs; of the Sentinels with Sentinel; none with a unix socket.
        path: Of the unix socket; empty elsewhere.
        service: The master's name with Sentinel; empty elsewhere.
        db: Number of the database.
        username: Empty for none.
        password: Empty for none; never in `repr`.
        sentinel_username: For the Sentinels themselves.
        sentinel_password: For the Sentinels themselves; never in `repr`.
        tls: Arguments for redis-py's TLS connection; None without TLS.
        proxied: Whether something may swap servers behind one connection: then scripts ask for the run_id themselves.
        wait_replicas: How many replicas must acknowledge before an answer counts.
        prefix: Overrides the setting; empty for none.
        may_evict: Whether a server that evicts keys is talked to: by controllers, never by bidders. No part of a URL.
    """

    kind: str
    hosts: tuple[tuple[str, int], ...] = ()
    path: str = ""
    service: str = ""
    db: int = 0
    username: str = ""
    password: str = field(default="", repr=False)
    sentinel_username: str = ""
    sentinel_password: str = field(default="", repr=False)
    tls: dict[str, str | bool] | None = None
    proxied: bool = False
    wait_replicas: int = 0
    prefix: str = ""
    may_evict: bool = False


def read(address: Address) -> Options:
    """Check the URL.

    Raises:
        ConfigurationError: it says something that we do not know, or leaves out what we need.
    """
    _refuse_unknown(address)
    kind = {"redis+unix": "unix", "redis+sentinel": "sentinel", "redis+cluster": "cluster"}.get(address.scheme, "tcp")
    service, db = _service_and_db(address, kind)
    return Options(
        kind=kind,
        hosts=_hosts(address, kind),
        path=_socket(address) if kind == "unix" else "",
        service=service,
        db=_number("database", db or "0"),
        username=address.username,
        password=address.password,
        sentinel_username=address.option("sentinel_username"),
        sentinel_password=address.option("sentinel_password"),
        tls=_tls(address),
        proxied=_flag(address, "proxied"),
        wait_replicas=_number("wait_replicas", address.option("wait_replicas", "0")),
        prefix=_prefix(address.option("prefix")),
    )


def _refuse_unknown(address: Address) -> None:
    known = KNOWN[address.scheme]
    if unknown := sorted(set(address.options) - set(known)):
        raise ConfigurationError(f"{address.scheme}:// does not know the option {', '.join(unknown)}; it knows {', '.join(sorted(known))}")


def _hosts(address: Address, kind: str) -> tuple[tuple[str, int], ...]:
    if kind == "unix":
        if address.hosts:
            raise ConfigurationError("redis+unix:// names a path and no host: redis+unix:///run/redis.sock?db=0")
        return ()
    if kind == "tcp" and len(address.hosts) > 1:
        raise ConfigurationError(f"{address.scheme}:// takes one host; several need redis+sentinel:// or redis+cluster://")
    default = SENTINEL_PORT if kind == "sentinel" else PORT
    return tuple((host, port or default) for host, port in address.hosts) or (("localhost", default),)


def _socket(address: Address) -> str:
    if address.path in ("", "/"):
        raise ConfigurationError("redis+unix:// needs the socket's path: redis+unix:///run/redis.sock?db=0")
    return address.path


def _service_and_db(address: Address, kind: str) -> tuple[str, str]:
    parts = [part for part in address.path.split("/") if part]
    if kind == "unix":
        return "", address.option("db")
    service = ""
    if kind == "sentinel":
        if not parts:
            raise ConfigurationError("redis+sentinel:// needs the master's name: redis+sentinel://host:26379/mymaster/0")
        service = parts.pop(0)
    if len(parts) > 1 or (kind == "cluster" and parts not in ([], ["0"])):
        raise ConfigurationError(
            f"the path {address.path!r} of {address.scheme}:// is no database" + " (a cluster has only 0)" * (kind == "cluster")
        )
    return service, parts[0] if parts else ""


def _tls(address: Address) -> dict[str, str | bool] | None:
    if address.scheme not in ("rediss", "valkeys") and not _flag(address, "tls"):
        if given := sorted(set(address.options) & set(_TLS)):
            raise ConfigurationError(f"{', '.join(given)} without TLS; add tls=1")
        return None
    files: dict[str, str | bool] = {name: address.options[name] for name in _TLS_FILES if name in address.options}
    return {**files, "ssl_check_hostname": _flag(address, "ssl_check_hostname", default="1")}


def _flag(address: Address, name: str, default: str = "0") -> bool:
    text = address.option(name, default).lower()
    if text not in ("0", "1", "true", "false"):
        raise ConfigurationError(f"{name}={text} is neither 1 nor 0")
    return text in ("1", "true")


def _number(what: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ConfigurationError(f"{what} {text!r} is no number")
    return int(text)


def _prefix(text: str) -> str:
    if set(text) & set("{}:| \n") or len(text) > 64:
        raise ConfigurationError(f"prefix {text!r} must be 1 to 64 characters without {{ }} : | or blanks")
    return text
