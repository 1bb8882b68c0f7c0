"""Clients in processes of their own that are wrong in one way each, and the tests of the kit that must notice."""

import time

import pytest

import example_backend
from bidlock.testing import suite
from bidlock.testing.lab import Lab
from example_backend.harness import FilesHarness

pytestmark = pytest.mark.slow

HEAD = """
import os, time
import example_backend
from bidlock.backend import Answer, Verdict
from bidlock.hookspecs import hookimpl
sound = example_backend.FilesBackend
"""
BREAKS = {
    "its own folder": "example_backend.Path = lambda *parts: __import__('pathlib').Path(*parts) / str(os.getpid())",
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
count = sound._posting
def _posting(self, posting): return None, count(self, posting)[1]
sound._posting = _posting
""",
    "reads the date": "example_backend._now_ms = lambda: time.time_ns() // 1_000_000",
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
        monkeypatch.setattr(example_backend, "_now_ms", lambda: time.time_ns() // 1_000_000)
    assert fails(tmp_path, name, given)


@pytest.mark.parametrize(("name", "given"), [row[1:] for row in CATCHES], ids=lambda value: value if isinstance(value, str) else None)
def test_a_sound_process_passes(tmp_path, name, given):
    assert not fails(tmp_path, name, given)
