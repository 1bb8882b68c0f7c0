"""What a `sqlite://` URL says: which file, and how to treat it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bidlock.addresses import Address
from bidlock.errors import ConfigurationError

KNOWN = ("busy_timeout", "synchronous")
"""Options a URL may carry."""

_EXAMPLE = "write sqlite:///bids.db for a file in the working directory or sqlite:////var/lib/bids.db for an absolute path"


@dataclass(frozen=True, slots=True)
class Options:
    """A `sqlite://` URL, understood.

    Attributes:
        path: Absolute path of the file, symbolic links followed.
        busy_timeout: How long to wait for a stranger's lock, seconds.
        synchronous: `FULL` (an acknowledged write survives a power cut) or `NORMAL` (it may not).
    """

    path: Path
    busy_timeout: float
    synchronous: str = "FULL"

    @classmethod
    def read(cls, address: Address, timeout: float) -> Options:
        """Understand a URL.

        Args:
            address: The parsed URL.
            timeout: Default of `busy_timeout`, seconds.

        Raises:
            ConfigurationError: it names no file, or an option that does not exist; says what to write.
        """
        if unknown := sorted(address.options.keys() - set(KNOWN)):
            raise ConfigurationError(f"sqlite:// knows no option {', '.join(unknown)}; it knows {', '.join(KNOWN)}")
        synchronous = address.option("synchronous", "FULL").upper()
        if synchronous not in {"FULL", "NORMAL"}:
            raise ConfigurationError(f"synchronous={synchronous} is neither FULL nor NORMAL")
        return cls(_path(address), _seconds(address.option("busy_timeout"), timeout), synchronous)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a human should change."""
        if self.synchronous == "FULL":
            return ()
        return ("synchronous=NORMAL: a power cut may undo the last bids' markers, so a posting may be bid on twice; leave the option out",)


def _path(address: Address) -> Path:
    if address.hosts or address.username:
        raise ConfigurationError(f"sqlite:// takes no host; {_EXAMPLE}")
    # As SQLAlchemy does: the slash that ends the authority is not part of the path.
    name = address.path.removeprefix("/")
    if not name or name.endswith("/"):
        raise ConfigurationError(f"the sqlite:// URL names no file; {_EXAMPLE}")
    if name == ":memory:":
        raise ConfigurationError("sqlite:// keeps a file; for a store in memory write memory://name")
    if "\0" in name:
        raise ConfigurationError(f"the path in the sqlite:// URL holds a zero byte; {_EXAMPLE}")
    return Path(name).resolve()


def _seconds(text: str, default: float) -> float:
    try:
        seconds = float(text) if text else default
    except ValueError:
        raise ConfigurationError(f"busy_timeout={text!r} is no number of seconds") from None
    if not 0 <= seconds < 10**6:
        raise ConfigurationError(f"busy_timeout must be 0 seconds or more, not {text}")
    return seconds
