"""One run of the kit under pytest: which backend, which variants, which tests, and what became of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import import_module
from typing import cast

import pytest

from bidlock import plugins
from bidlock.hookspecs import BackendSpec
from bidlock.plugins import PluginReport
from bidlock.testing.harness import Harness
from bidlock.testing.report import Outcome, write
from bidlock.testing.suite import FAMILIES

SUITE = "bidlock.testing.suite"
_PROPERTY = "bidlock"


@dataclass
class Kit:
    """The pytest plugin behind `--bidlock-backend`."""

    config: pytest.Config
    spec: BackendSpec
    origin: PluginReport
    harness: type[Harness]
    variants: tuple[str, ...]
    outcomes: list[Outcome] = field(default_factory=list)
    deselected: int = 0

    @classmethod
    def configured(cls, config: pytest.Config) -> Kit:
        """Find the backend and add the kit's tests to the session.

        Raises:
            pytest.UsageError: there is no such backend, harness or variant.
        """
        spec, origin = _spec(config.option.bidlock_backend)
        harness = _harness(spec)
        _add_tests(config)
        return cls(config, spec, origin, harness, _variants(harness, config.option.bidlock_variant))

    def pytest_report_header(self) -> str:
        """Say what is certified, and how to repeat it."""
        return f"bidlock: backend {self.spec.name} ({', '.join(self.variants)}), --bidlock-seed={self.config.option.bidlock_seed}"

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Write the family and the variant onto the test, so that its report carries them (also from a worker)."""
        module = getattr(getattr(item, "function", None), "__module__", "")
        if module.startswith(f"{SUITE}.") and isinstance(item, pytest.Function):
            item.user_properties.append((_PROPERTY, (module.rpartition(".")[2], item.callspec.params["bidlock_variant"])))

    def pytest_deselected(self, items: Iterable[pytest.Item]) -> None:
        """A run with tests deselected certifies nothing."""
        self.deselected += len(list(items))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what became of a test."""
        told = dict(report.user_properties).get(_PROPERTY)
        if told and (report.when == "call" or not report.passed):
            family, variant = cast(tuple[str, str], told)
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
            self.outcomes.append(
                Outcome(family, variant, report.nodeid.rpartition("::")[2], report.outcome, reason.removeprefix("Skipped: "))
            )

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write `conformance.json`; the workers of a distributed run leave it to their controller."""
        if hasattr(session.config, "workerinput"):
            return
        chosen = self.config.option.keyword or self.config.option.markexpr
        complete = not (self.deselected or chosen) and exitstatus in (0, 1)
        path = self.config.invocation_params.dir / self.config.option.bidlock_report  # pytest's root may be a folder above
        write(path, self.spec, self.origin, self.variants, self.outcomes, seed=self.config.option.bidlock_seed, complete=complete)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say where the result is."""
        terminalreporter.write_line(f"bidlock: wrote {self.config.option.bidlock_report}")


def _spec(name: str) -> tuple[BackendSpec, PluginReport]:
    loaded = plugins.load()
    for report in loaded.reports:
        for spec in report.backends:
            if spec.name == name:
                return spec, report
    failed = "".join(f"; {report.name} is {report.status}: {report.reason}" for report in loaded.reports if report.status != "loaded")
    raise pytest.UsageError(f"no backend is called {name!r}; installed are: {', '.join(spec.name for spec in loaded.backends)}{failed}")


def _harness(spec: BackendSpec) -> type[Harness]:
    module, _, attribute = spec.harness.partition(":")
    if not attribute:
        raise pytest.UsageError(f"backend {spec.name!r} names no harness; set harness='module:Class' in its BackendSpec")
    try:
        found: type[Harness] = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise pytest.UsageError(f"the harness {spec.harness} of backend {spec.name!r} cannot be imported: {error}") from None
    return found


def _variants(harness: type[Harness], wanted: list[str]) -> tuple[str, ...]:
    if unknown := [name for name in wanted if name not in harness.variants]:
        raise pytest.UsageError(f"no variant {', '.join(unknown)}; there are: {', '.join(harness.variants)}")
    return tuple(wanted) or tuple(harness.variants)


def _add_tests(config: pytest.Config) -> None:
    """Have pytest collect the suite: instead of the folder it stands in, or besides what the command line names."""
    modules = [f"{SUITE}.{family}" for family in FAMILIES]
    named = config.args if config.args_source is pytest.Config.ArgsSource.ARGS else []
    config.args = [*named, *modules]
    config.option.pyargs = True
