"""Parse the URL of a store, and print it without its password."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from bidlock.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Address:
    """A store's URL, taken apart.

    Attributes:
        scheme: Lower-case; chooses the backend.
        hosts: `(host, port)` pairs as written, several for Sentinel and Cluster; port 0 means the backend's default.
        username: Decoded; empty for none.
        password: Decoded; empty for none. Never in `repr` or `str`.
        path: Decoded path, as written after the authority (`/bids.db` in `sqlite:///bids.db`).
        options: The query, decoded.
        url: The URL as given; never printed.
    """

    scheme: str
    hosts: tuple[tuple[str, int], ...] = ()
    username: str = ""
    password: str = field(default="", repr=False)
    path: str = ""
    options: dict[str, str] = field(default_factory=dict)
    url: str = field(default="", repr=False)

    def __str__(self) -> str:
        credentials = f"{self.username}{':***' if self.password else ''}@" if self.username or self.password else ""
        hosts = ",".join(_host_text(host, port) for host, port in self.hosts)
        shown = {name: "***" if "password" in name else value for name, value in self.options.items()}
        query = "?" + "&".join(f"{name}={value}" for name, value in shown.items()) if shown else ""
        return f"{self.scheme}://{credentials}{hosts}{self.path}{query}"

    def option(self, name: str, default: str = "") -> str:
        """Value of a query option."""
        return self.options.get(name, default)


def parse(url: str) -> Address:
    """Take a URL apart.

    Raises:
        ConfigurationError: it is no URL; the message never shows credentials.
    """
    scheme, separator, rest = url.strip().partition("://")
    if not separator or not scheme:
        raise ConfigurationError(f"{_shown(url)!r} is no store URL; write for example redis://host:6379/0 or sqlite:///bids.db")
    try:
        # urlsplit knows one host only; the list of Sentinel and Cluster is split off by hand.
        # The query goes first: it may hold slashes where no path stands before it.
        place, mark, query = rest.partition("?")
        authority, slash, path = place.partition("/")
        userinfo, _, hostlist = authority.rpartition("@")
        username, _, password = userinfo.partition(":")
        split = urlsplit(f"x://x{slash}{path}{mark}{query}")
        return Address(
            scheme=scheme.lower(),
            hosts=tuple(_host(text) for text in hostlist.split(",") if text),
            username=unquote(username),
            password=unquote(password),
            path=unquote(split.path),
            options=dict(parse_qsl(split.query, keep_blank_values=True)),
            url=url.strip(),
        )
    except ValueError as error:
        raise ConfigurationError(f"the {scheme}:// URL is malformed: {error}") from None


def _host(text: str) -> tuple[str, int]:
    split = urlsplit(f"x://{text}")
    if split.hostname is None:
        raise ValueError("a host name is missing")
    try:
        return split.hostname, split.port or 0
    except ValueError:
        raise ValueError(f"the port of host {split.hostname!r} is no number from 1 to 65535") from None


def _host_text(host: str, port: int) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}:{port}" if port else shown


def _shown(url: str) -> str:
    return url.rpartition("@")[2][:60]
