"""Find, check and quarantine plugins. The only use of entry points, and the only code that touches pluggy's untyped hooks.

pluggy's own loader stops at the first plugin that fails to import. Here each entry point is tried for itself: a broken
plugin is named in `bidlock plugins` and everything else works.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any, cast

import pluggy
import structlog

from bidlock import hookspecs
from bidlock.errors import ConfigurationError, PluginRejected, UnknownBackend
from bidlock.events import Event
from bidlock.hookspecs import BackendSpec

ALLOW_VARIABLE = "BIDLOCK_PLUGINS"
"""Comma-separated entry-point names; when set, no other plugin is imported."""

LOAD_TIMEOUT_VARIABLE = "BIDLOCK_PLUGIN_TIMEOUT"
"""How long the import of one plugin may take, seconds; 60 when unset (a busy machine is slow, a hanging import is rare)."""

PACKAGES = {
    "redis": "bidlock[redis]",
    "rediss": "bidlock[redis]",
    "valkey": "bidlock[redis]",
    "valkeys": "bidlock[redis]",
    "redis+unix": "bidlock[redis]",
    "redis+sentinel": "bidlock[redis]",
    "redis+cluster": "bidlock[redis]",
    "sqlite": "bidlock[sqlite]",
    "sqlite+http": "bidlock-sqlite[agent]",
    "sqlite+https": "bidlock-sqlite[agent]",
}
"""What to install for a scheme that our own plugins serve."""

log = structlog.stdlib.get_logger("bidlock.plugins")


@dataclass(frozen=True, slots=True)
class PluginReport:
    """What became of one entry point.

    Attributes:
        name: The entry point's name.
        distribution: Name of the distribution that brought it.
        version: Its version.
        status: `loaded`, `refused` (it breaks a rule), `broken` (it raised) or `blocked` (not on the allow-list).
        reason: Why it was not loaded, for humans.
        backends: The backends it brought.
    """

    name: str
    distribution: str
    version: str
    status: str
    reason: str = ""
    backends: tuple[BackendSpec, ...] = ()


class Plugins:
    """The plugins of one process: backends by scheme, observers, and a report about every entry point."""

    def __init__(self) -> None:
        self.reports: list[PluginReport] = []
        self.observer_failures = 0
        self.observed = False
        """Whether anybody observes; lets callers skip building events."""
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._by_scheme: dict[str, BackendSpec] = {}

    def register(self, plugin: object, name: str, *, distribution: str = "", version: str = "") -> PluginReport:
        """Take a plugin in, or refuse it with a reason; never raises for the plugin's faults."""
        try:
            self._manager.register(plugin, name)
            self._manager.check_pending()
            offered = tuple(self._offered(plugin))
            self._check(offered)
        except PluginRejected as refusal:
            self._forget(plugin)
            return self._note(PluginReport(name, distribution, version, "refused", str(refusal)))
        except Exception as error:
            self._forget(plugin)
            return self._note(PluginReport(name, distribution, version, "broken", _reason(error)))
        self._by_scheme.update({scheme: spec for spec in offered for scheme in spec.schemes})
        return self._note(PluginReport(name, distribution, version, "loaded", backends=offered))

    def backend(self, scheme: str) -> BackendSpec:
        """The backend that serves a URL scheme.

        Raises:
            UnknownBackend: none does; says what to install, or which plugin failed.
        """
        if scheme in self._by_scheme:
            return self._by_scheme[scheme]
        raise UnknownBackend(self._unknown(scheme))

    @property
    def backends(self) -> list[BackendSpec]:
        """Every loaded backend."""
        return [spec for report in self.reports for spec in report.backends]

    def publish(self, event: Event) -> None:
        """Tell every observer; one that raises is counted and never disturbs the lock."""
        for implementation in self._manager.hook.bidlock_observe.get_hookimpls():
            try:
                implementation.function(event)
            except Exception:
                self.observer_failures += 1
                log.debug("observer failed", plugin=implementation.plugin_name, exc_info=True)

    def _offered(self, plugin: object) -> Iterable[BackendSpec]:
        implementation: Any  # pluggy does not type what a hook returns
        for implementation in self._manager.hook.bidlock_backends.get_hookimpls():
            if implementation.plugin is plugin:
                yield from cast(Iterable[BackendSpec], implementation.function())

    def _check(self, offered: Iterable[BackendSpec]) -> None:
        for spec in offered:
            if spec.port != hookspecs.PORT_VERSION:
                raise PluginRejected(
                    f"backend {spec.name!r} was written for port {spec.port}, this is port {hookspecs.PORT_VERSION}; "
                    "install a matching version"
                )
            for scheme in spec.schemes:
                if other := self._by_scheme.get(scheme):
                    raise PluginRejected(
                        f"backend {spec.name!r} wants the scheme {scheme}://, which backend {other.name!r} serves already; "
                        "uninstall one of the two"
                    )

    def _forget(self, plugin: object) -> None:
        if self._manager.is_registered(plugin):
            self._manager.unregister(plugin)

    def _note(self, report: PluginReport) -> PluginReport:
        self.observed = bool(self._manager.hook.bidlock_observe.get_hookimpls())
        self.reports.append(report)
        return report

    def _unknown(self, scheme: str) -> str:
        if package := PACKAGES.get(scheme):
            hint = f'install it with: pip install "{package}"'
        else:
            hint = f"loaded are: {', '.join(sorted(self._by_scheme)) or 'none'}"
        failed = [f"{r.name} ({r.distribution} {r.version}): {r.reason}" for r in self.reports if r.status != "loaded"]
        return f"no backend serves {scheme}://; {hint}" + (f". Plugins that are not loaded: {'; '.join(failed)}" if failed else "")


def load(environment: Mapping[str, str] = os.environ) -> Plugins:
    """Load every installed plugin, each for itself.

    Args:
        environment: Where the allow-list `BIDLOCK_PLUGINS` and `BIDLOCK_PLUGIN_TIMEOUT` are read.

    Raises:
        ConfigurationError: the timeout is no number of seconds.
    """
    plugins = Plugins()
    timeout = _load_timeout(environment)
    allowed = {name.strip() for name in environment.get(ALLOW_VARIABLE, "").split(",")} - {""}
    seen: dict[str, str] = {}
    for entry in sorted(metadata.entry_points(group=hookspecs.GROUP), key=lambda e: (e.name, e.value)):
        distribution, version = _origin(entry)
        if allowed and entry.name not in allowed:
            plugins.reports.append(PluginReport(entry.name, distribution, version, "blocked", f"not in {ALLOW_VARIABLE}"))
        elif entry.name in seen:
            reason = f"distribution {seen[entry.name]} brings a plugin of the same name; uninstall one of the two"
            plugins.reports.append(PluginReport(entry.name, distribution, version, "refused", reason))
        else:
            seen[entry.name] = distribution
            _load_one(plugins, entry, distribution, version, timeout)
    return plugins


def _load_one(plugins: Plugins, entry: metadata.EntryPoint, distribution: str, version: str, timeout: float) -> None:
    try:
        plugin = _within(timeout, entry.load)
    except Exception as error:
        plugins.reports.append(PluginReport(entry.name, distribution, version, "broken", _reason(error)))
        return
    plugins.register(plugin, entry.name, distribution=distribution, version=version)


def _load_timeout(environment: Mapping[str, str]) -> float:
    text = environment.get(LOAD_TIMEOUT_VARIABLE) or "60"
    try:
        return float(text)
    except ValueError:
        raise ConfigurationError(f"{LOAD_TIMEOUT_VARIABLE}={text!r} is no number") from None


def _within(timeout: float, load: Callable[[], Any]) -> Any:
    """What `load` returns; in a thread of its own, because an import that hangs cannot be interrupted, only left behind."""
    outcome: list[Any] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(load())
        except BaseException as error:  # an import may also call sys.exit(), which must not end the host
            failure.append(error)

    thread = threading.Thread(target=run, name="bidlock-plugin-import", daemon=True)
    thread.start()
    thread.join(timeout)
    if failure:
        raise failure[0] if isinstance(failure[0], Exception) else ImportError(f"its import raised {_reason(failure[0])}")
    if not outcome:
        raise TimeoutError(f"its import did not end within {timeout:g} s")
    return outcome[0]


def _origin(entry: metadata.EntryPoint) -> tuple[str, str]:
    return (entry.dist.name, entry.dist.version) if entry.dist else ("", "")


def _reason(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
