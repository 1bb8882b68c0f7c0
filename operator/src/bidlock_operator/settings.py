"""What can be configured about the operator itself; fleets are configured by their `BidLockPolicy`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast, get_args

from bidlock.errors import ConfigurationError

LogFormat = Literal["json", "text"]
LogLevel = Literal["debug", "info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Settings:
    """The operator's settings. Times are seconds.

    Attributes:
        namespaces: `BIDLOCK_OPERATOR_NAMESPACES`: comma-separated namespaces to watch; empty for all of them. Read by
            `bidlock-operator`; under `kopf run` the options `-n` and `-A` decide.
        log_format: `BIDLOCK_OPERATOR_LOG_FORMAT`: `json`, one object a line, or `text` for humans.
        log_level: `BIDLOCK_OPERATOR_LOG_LEVEL`: `debug`, `info`, `warning` or `error`.
        api_timeout: `BIDLOCK_OPERATOR_API_TIMEOUT`: longest wait for one answer of the API server, watches excepted.
    """

    namespaces: tuple[str, ...] = ()
    log_format: LogFormat = "json"
    log_level: LogLevel = "info"
    api_timeout: float = 10.0

    @classmethod
    def read(cls, environment: Mapping[str, str], /) -> Settings:
        """Settings from `BIDLOCK_OPERATOR_*`.

        Raises:
            ConfigurationError: a value is not one of those listed, or no positive number.
        """
        default = cls()
        return cls(
            namespaces=tuple(part.strip() for part in environment.get(variable("namespaces"), "").split(",") if part.strip()),
            log_format=cast(LogFormat, _choice(environment, "log_format", get_args(LogFormat), default.log_format)),
            log_level=cast(LogLevel, _choice(environment, "log_level", get_args(LogLevel), default.log_level)),
            api_timeout=_seconds(environment, "api_timeout", default.api_timeout),
        )


def variable(name: str) -> str:
    """Name of a setting's environment variable."""
    return f"BIDLOCK_OPERATOR_{name.upper()}"


def _choice(environment: Mapping[str, str], name: str, choices: tuple[str, ...], default: str) -> str:
    value = environment.get(variable(name), "").lower() or default
    if value not in choices:
        raise ConfigurationError(f"{variable(name)}={value!r}: choose one of {', '.join(choices)}")
    return value


def _seconds(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(variable(name), "")
    try:
        value = float(text) if text else default
    except ValueError:
        value = 0.0
    if not 0 < value < 3600:
        raise ConfigurationError(f"{variable(name)}={text!r}: give seconds, more than 0 and less than 3600")
    return value
