"""Everything that can be configured, from arguments and from `BIDLOCK_*`."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from bidlock.errors import ConfigurationError
from bidlock.modes import MODES

MARGIN_RATE = 0.01
"""Part of the TTL that the margin adds to its fixed part: bounds the drift between two clocks (protocol, assumption A2)."""


def default_holder() -> str:
    """`host:pid`, where the host is the pod's name on Kubernetes."""
    return f"{socket.gethostname()}:{os.getpid()}"


@dataclass(frozen=True, slots=True)
class Settings:
    """How this client locks. Times are seconds.

    Attributes:
        url: `BIDLOCK_URL`: the store.
        sqlite_url: `BIDLOCK_SQLITE_URL`: the origin store of a managed fleet.
        redis_url: `BIDLOCK_REDIS_URL`: the target store of a managed fleet.
        mode: `BIDLOCK_MODE`: empty for the single-store mode of the URL's backend.
        mode_file: `BIDLOCK_MODE_FILE`: where a controller writes the mode, read again when it changes; overrules `mode`.
        policy: `BIDLOCK_POLICY`: owner of the stores; empty for `self` stores, which clients initialise.
        prefix: `BIDLOCK_PREFIX`: first part of every key.
        buckets: `BIDLOCK_BUCKETS`: how many buckets postings are spread over.
        ttl: `BIDLOCK_TTL`: how long a lease lives without renewal.
        timeout: `BIDLOCK_TIMEOUT`: how long `hold` waits.
        store_timeout: `BIDLOCK_STORE_TIMEOUT`: longest wait for one answer of a store.
        reach_timeout: `BIDLOCK_REACH_TIMEOUT`: how long a store that does not answer is tried before `unreachable`.
        max_hold: `BIDLOCK_MAX_HOLD`: how long a lease is renewed at most.
        ttl_max: `BIDLOCK_TTL_MAX`: longest TTL of a `self` store that this client initialises.
        margin: `BIDLOCK_MARGIN`: fixed part of the safety margin of such a store; 1 % of the TTL comes on top.
        holder: `BIDLOCK_HOLDER`: who holds, for humans.
        original_keys: `BIDLOCK_ORIGINAL_KEYS`: `1` while original bots work on the same Redis: their keys are taken, too.
    """

    url: str = field(default="", repr=False)
    sqlite_url: str = field(default="", repr=False)
    redis_url: str = field(default="", repr=False)
    mode: str = ""
    mode_file: str = ""
    policy: str = ""
    prefix: str = "bidlock"
    buckets: int = 1
    ttl: float = 300.0
    timeout: float = 10.0
    store_timeout: float = 2.0
    reach_timeout: float = 5.0
    max_hold: float = 3600.0
    ttl_max: float = 3600.0
    margin: float = 5.0
    holder: str = field(default_factory=default_holder)
    original_keys: bool = False

    def __post_init__(self) -> None:
        self._check_times()
        if self.mode and self.mode not in MODES:
            raise ConfigurationError(f"mode {self.mode!r} does not exist; choose one of {', '.join(MODES)}")
        if not 1 <= self.buckets <= 16384:
            raise ConfigurationError(f"buckets must be from 1 to 16384, not {self.buckets}")
        if not self.prefix or set(self.prefix) & set("{}:| \n") or len(self.prefix) > 64:
            raise ConfigurationError(f"prefix {self.prefix!r} must be 1 to 64 characters without {{ }} : | or blanks")
        if not self.holder or "|" in self.holder or len(self.holder) > 128:
            raise ConfigurationError(f"holder {self.holder!r} must be 1 to 128 characters without |")

    def _check_times(self) -> None:
        for name in ("ttl", "store_timeout", "ttl_max", "max_hold"):
            if not (is_duration(value := getattr(self, name)) and 0 < value < 10**9):
                raise ConfigurationError(f"{name} must be more than 0 seconds, not {value!r}")
        for name in ("timeout", "reach_timeout", "margin"):
            if not (is_duration(value := getattr(self, name)) and value < 10**9):
                raise ConfigurationError(f"{name} must be 0 seconds or more, not {value!r}")

    @classmethod
    def read(cls, environment: Mapping[str, str], /, **given: Any) -> Settings:
        """Settings from `BIDLOCK_*`, overruled by the arguments that are not None.

        Raises:
            ConfigurationError: a value is no number, or out of its range; names the variable.
        """
        values: dict[str, Any] = {}
        for known in fields(cls):
            text = environment.get(variable(known.name))
            if given.get(known.name) is not None:
                values[known.name] = given[known.name]
            elif text:
                values[known.name] = _read(text, known.name, str(known.type))
        return cls(**values)


def is_duration(value: object) -> bool:
    """Whether this is a number of seconds, 0 or more; a NaN is none."""
    return isinstance(value, int | float) and value >= 0


def variable(name: str) -> str:
    """Name of a setting's environment variable."""
    return f"BIDLOCK_{name.upper()}"


def _read(text: str, name: str, kind: str) -> str | int | float | bool:
    if kind == "bool":
        return _read_bool(text, name)
    try:
        return int(text) if kind == "int" else float(text) if kind == "float" else text
    except ValueError:
        raise ConfigurationError(f"{variable(name)}={text!r} is no number") from None


def _read_bool(text: str, name: str) -> bool:
    if text.lower() in {"1", "true", "yes", "on"}:
        return True
    if text.lower() in {"0", "false", "no", "off"}:
        return False
    raise ConfigurationError(f"{variable(name)}={text!r} is neither 1 nor 0")
