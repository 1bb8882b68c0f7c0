"""Every test of the kit, for `from bidlock.testing.suite import *`. Each module is one family.

A file that says so needs one fixture, `bidlock_harness`, that yields a started `bidlock.testing.harness.Harness`.
"""

from __future__ import annotations

from importlib import import_module

FAMILIES = (
    "leases",
    "releases",
    "markers",
    "guard",
    "naming",
    "wakeups",
    "contention",
    "cancellation",
    "crash",
    "pause",
    "clock",
    "network",
    "histories",
    "front",
)
"""Modules of this package, in the order they run."""

__all__: list[str] = []

for _family in FAMILIES:
    _module = import_module(f"{__name__}.{_family}")
    for _name in vars(_module):
        if _name.startswith("test_"):
            globals()[_name] = getattr(_module, _name)
            __all__.append(_name)
