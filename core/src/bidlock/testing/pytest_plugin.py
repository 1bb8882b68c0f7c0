"""The kit's door into pytest: three options and three fixtures. Without the option it does nothing and imports nothing.

`pytest --bidlock-backend=NAME` runs every test of the kit against an installed backend, in any folder, and writes
`conformance.json` (see `bidlock.testing.report`). A file of an author's own can do the same with a fixture
`bidlock_harness` and `from bidlock.testing.suite import *`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bidlock.testing.harness import Harness
    from bidlock.testing.lab import Lab

# A wheel's modules are rewritten by pytest itself; those of an editable install are not.
pytest.register_assert_rewrite("bidlock.testing.suite", "bidlock.testing.lab")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the kit's options."""
    group = parser.getgroup("bidlock", "bidlock's conformance kit")
    group.addoption("--bidlock-backend", metavar="NAME", help="run the conformance kit against this installed backend")
    group.addoption(
        "--bidlock-variant", metavar="NAME", action="append", default=[], help="only this variant of its harness; may be repeated"
    )
    group.addoption(
        "--bidlock-report", metavar="FILE", default="conformance.json", help="where the result goes (default: conformance.json)"
    )
    group.addoption("--bidlock-seed", metavar="NUMBER", type=int, help="repeat the random choices of an earlier run")


def pytest_configure(config: pytest.Config) -> None:
    """Bring the kit's tests in when they are asked for."""
    if config.option.bidlock_seed is None:
        config.option.bidlock_seed = int.from_bytes(os.urandom(4), "big")
    if config.option.bidlock_backend:
        _kit(config)


def _kit(config: pytest.Config) -> None:
    try:
        import hypothesis  # noqa: F401 — asked for here, so that its absence is one line and not a traceback
    except ImportError:
        raise pytest.UsageError('the conformance kit needs hypothesis; install it with: pip install "bidlock[testing]"') from None
    from bidlock.testing.session import Kit

    config.pluginmanager.register(Kit.configured(config), "bidlock-kit")


@pytest.fixture(scope="session")
def bidlock_harness(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """The running store. An author's own file overrides this fixture."""
    kit = request.config.pluginmanager.get_plugin("bidlock-kit")
    if kit is None:
        pytest.fail(
            "run pytest with --bidlock-backend=NAME, or write a fixture bidlock_harness that yields your started harness", pytrace=False
        )
    variant = request.getfixturevalue("bidlock_variant")
    harness: Harness = kit.harness(tmp_path_factory.mktemp("bidlock"), variant)
    try:
        harness.start()
        yield harness
    finally:
        harness.stop()


@pytest.fixture
def bidlock_lab(request: pytest.FixtureRequest, bidlock_harness: Harness) -> Lab:
    """An empty store for one test."""
    from bidlock.testing.lab import Lab

    return Lab(bidlock_harness, seed=request.config.option.bidlock_seed, name=request.node.name)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each of the kit's tests once per variant."""
    kit = metafunc.config.pluginmanager.get_plugin("bidlock-kit")
    if kit and "bidlock_lab" in metafunc.fixturenames:
        metafunc.fixturenames.append("bidlock_variant")
        metafunc.parametrize("bidlock_variant", kit.variants, scope="session")
