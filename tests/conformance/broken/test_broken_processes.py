"""Clients in processes of their own that are wrong in one way each, and the tests of the kit that must notice."""

import time

import pytest

import example_backend
from bidlock.testing import suite
from bidlock.testing.lab import Lab
from example_backend.harness import FilesHarness
from example_backend.store import Step

pytestmark = pytest.mark.slow

HEAD = """
import os, time
from bidlock.backend import Answer, Verdict
from bidlock.hookspecs import hookimpl
from example_backend import backend, store
sound = backend.FilesBackend
"""
BREAKS = {
    "its own folder": "store.Path = lambda *parts: __import__('pathlib').Path(*parts) / str(os.getpid())",
    "claims only in memory": """
async def claim(self, ticket, token): return Answer(Verdict.OK)
sound.claim = claim
""",
    "claims without a lease": "sound.claim = sound.mark",
    "renews what it once had": """
async def renew(self, ticket): return Answer(Verdict.OK)
sound.renew = renew
""",
    "frees at the start": """
known = backend._posting
async def _posting(step, posting): return None, (await known(step, posting))[1]
backend._posting = _posting
""",
    "reads the date": """
async def now_ms(self): return time.time_ns() // 1_000_000
store.Step.now_ms = now_ms
""",
}
CATCHES = [
    ("its own folder", "test_processes_exclude_each_other", {}),
    ("claims only in memory", "test_what_a_killed_process_claimed_stays_done", {}),
    ("claims without a lease", "test_a_holder_that_slept_through_its_lease_has_lost_it", {"verb": "claim"}),
    ("renews what it once had", "test_a_holder_that_slept_through_its_lease_has_lost_it", {"verb": "renew"}),
    ("frees at the start", "test_a_client_in_another_day_does_not_take_a_held_posting", {"shift": 86_400.0}),
    ("reads the date", "test_a_client_in_another_day_does_not_take_a_held_posting", {"shift": 86_400.0}),
    ("reads the date", "test_the_lease_of_a_client_in_another_day_lives_as_long_as_any", {"shift": -86_400.0}),
    ("reads the date", "test_a_client_in_another_day_sees_a_lease_expire", {"shift": -86_400.0}),
]


async def date_ms(step):
    return time.time_ns() // 1_000_000


def fails(folder, name, given):
    (spec,) = example_backend.bidlock_backends()
    lab = Lab(FilesHarness(folder / "stores", "files"), spec)
    try:
        getattr(suite, name)(bidlock_lab=lab, **given)
    except AssertionError:
        return True
    return False


@pytest.fixture
def break_children(tmp_path, monkeypatch):
    """Bring a plugin into every child that changes the example backend under its feet."""

    def run(how):
        site = tmp_path / "site"
        info = site / "breaking-1.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: breaking\nVersion: 1\n")
        (info / "entry_points.txt").write_text("[bidlock.backends.v1]\na-break = breaking\n")
        (site / "breaking.py").write_text(HEAD + BREAKS[how])
        monkeypatch.setenv("PYTHONPATH", str(site))

    return run


@pytest.mark.parametrize(("how", "name", "given"), CATCHES, ids=lambda value: value if isinstance(value, str) else None)
def test_the_kit_catches_a_process(tmp_path, break_children, monkeypatch, how, name, given):
    break_children(how)
    if how == "reads the date":
        monkeypatch.setattr(Step, "now_ms", date_ms)
    assert fails(tmp_path, name, given)


@pytest.mark.parametrize(("name", "given"), [row[1:] for row in CATCHES], ids=lambda value: value if isinstance(value, str) else None)
def test_a_sound_process_passes(tmp_path, name, given):
    assert not fails(tmp_path, name, given)
