"""Run single tests of the kit against a backend that is broken on purpose."""

from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import pytest

from bidlock.hookspecs import BackendSpec
from bidlock.memory import MemoryBackend, bidlock_backends
from bidlock.testing import suite
from bidlock.testing.lab import Lab
from bidlock.testing.memory import MemoryHarness


@pytest.fixture(autouse=True)
def impatient(request, monkeypatch):
    """What never happens is given up on soon, where no server or other process takes its time."""
    if request.node.get_closest_marker("slow"):
        return
    monkeypatch.setattr("bidlock.testing.scenario.TIME_LIMIT", 3.0)
    monkeypatch.setattr("bidlock.testing.lab.PATIENCE", 1.0)
    for family in suite.FAMILIES:
        monkeypatch.setattr(f"{suite.__name__}.{family}.PATIENCE", 0.5, raising=False)


@pytest.fixture(autouse=True)
def first_example_will_do() -> Iterator[None]:
    """A history that fails is enough here: the search for the shortest one takes most of the time."""
    hypothesis.settings.register_profile("any-failure", phases=[hypothesis.Phase.generate])
    hypothesis.settings.load_profile("any-failure")
    yield
    hypothesis.settings.load_profile("default")


@pytest.fixture
def caught(tmp_path) -> Callable[[type[MemoryBackend], str], bool]:
    """Whether a test of the kit fails against a broken variant of the memory backend."""

    def run(broken: type[MemoryBackend], name: str) -> bool:
        (sound,) = bidlock_backends()
        spec = BackendSpec("broken", ("memory",), broken, sound.capabilities)
        return any(_fails(name, given, Lab(MemoryHarness(tmp_path, "memory"), spec)) for given in _parameters(name))

    return run


def _parameters(name: str) -> Iterator[dict[str, Any]]:
    marks = [mark for mark in getattr(getattr(suite, name), "pytestmark", []) if mark.name == "parametrize"]
    if not marks:
        yield {}
    for mark in marks:
        for value in mark.args[1]:
            yield {mark.args[0]: value}


def _fails(name: str, given: dict[str, Any], lab: Lab) -> bool:
    try:
        getattr(suite, name)(bidlock_lab=lab, **given)
    except (AssertionError, TimeoutError):
        return True
    return False
