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
        namespaces: `BIDLOCK_OPERATOR_NAMESPACES`: comma-separated namespaces to watch; empty for all of them. Under
            `kopf run` give the same with its options `-n` and `-A`.
        log_format: `BIDLOCK_OPERATOR_LOG_FORMAT`: `json`, one object a line, or `text` for humans.
        log_level: `BIDLOCK_OPERATOR_LOG_LEVEL`: `debug`, `info`, `warning` or `error`.
        api_timeout: `BIDLOCK_OPERATOR_API_TIMEOUT`: longest wait for one answer of the API server, watches excepted.
        lease_name: `BIDLOCK_OPERATOR_LEASE_NAME`: the Lease by which replicas elect their leader.
        lease_namespace: `BIDLOCK_OPERATOR_LEASE_NAMESPACE`: where it is; else `POD_NAMESPACE`.
        http_host: `BIDLOCK_OPERATOR_HTTP_HOST`: address of `/livez`, `/readyz` and `/metrics`.
        http_port: `BIDLOCK_OPERATOR_HTTP_PORT`: their port; 0 for any free one.
        agent_image: `BIDLOCK_OPERATOR_AGENT_IMAGE`: image of the SQLite agent.
        redis_image: `BIDLOCK_OPERATOR_REDIS_IMAGE`: image of Redis, where a policy names none.
        image_pull_policy: `BIDLOCK_OPERATOR_IMAGE_PULL_POLICY`: of both; empty for Kubernetes' own rule.
        cluster_domain: `BIDLOCK_OPERATOR_CLUSTER_DOMAIN`: the cluster's DNS domain.
        resync: `BIDLOCK_OPERATOR_RESYNC`: longest time between two looks at a policy at rest.
        watch_silence: `BIDLOCK_OPERATOR_WATCH_SILENCE`: how long a watch may hear nothing before its connection is taken for dead; after
            three times as long `/readyz` fails.
    """

    namespaces: tuple[str, ...] = ()
    log_format: LogFormat = "json"
    log_level: LogLevel = "info"
    api_timeout: float = 10.0
    lease_name: str = "bidlock-operator"
    lease_namespace: str = "default"
    http_host: str = "0.0.0.0"  # noqa: S104 — probes and Prometheus come from outside the pod
    http_port: int = 8080
    agent_image: str = "bidlock/agent:latest"
    redis_image: str = "valkey/valkey:8.1"
    image_pull_policy: str = ""
    cluster_domain: str = "cluster.local"
    resync: float = 30.0
    watch_silence: float = 30.0

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
            lease_namespace=environment.get(variable("lease_namespace"), "")
            or environment.get("POD_NAMESPACE", "")
            or default.lease_namespace,
            http_port=_port(environment, "http_port", default.http_port),
            resync=_seconds(environment, "resync", default.resync),
            watch_silence=_seconds(environment, "watch_silence", default.watch_silence),
            **{name: environment.get(variable(name), "") or getattr(default, name) for name in _TEXTS},
        )


_TEXTS = ("lease_name", "http_host", "agent_image", "redis_image", "image_pull_policy", "cluster_domain")


def variable(name: str) -> str:
    """Name of a setting's environment variable."""
    return f"BIDLOCK_OPERATOR_{name.upper()}"


def _choice(environment: Mapping[str, str], name: str, choices: tuple[str, ...], default: str) -> str:
    value = environment.get(variable(name), "").lower() or default
    if value not in choices:
        raise ConfigurationError(f"{variable(name)}={value!r}: choose one of {', '.join(choices)}")
    return value


def _port(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(variable(name), "")
    if text and not (text.isascii() and text.isdecimal() and int(text) <= 65535):
        raise ConfigurationError(f"{variable(name)}={text!r}: give a port, 0 to 65535")
    return int(text) if text else default


def _seconds(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(variable(name), "")
    try:
        value = float(text) if text else default
    except ValueError:
        value = 0.0
    if not 0 < value < 3600:
        raise ConfigurationError(f"{variable(name)}={text!r}: give seconds, more than 0 and less than 3600")
    return value
