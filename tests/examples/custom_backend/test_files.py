"""The example backend: what its README promises beyond the kit."""

import fcntl
import json
import os

import pytest

from bidlock.addresses import parse
from bidlock.backend import BackendConfig, SelfMeta, Ticket, Verdict
from bidlock.errors import BackendUnavailable, ConfigurationError
from bidlock.postings import posting
from example_backend import store as module
from example_backend.backend import FilesBackend

META = SelfMeta("only", 600_000, 0)
TICKET = Ticket(posting("market", "1"), "a" * 32, "only", "kit:1", 60_000)


@pytest.fixture
def config(tmp_path):
    return BackendConfig(parse(f"files://{tmp_path}/bids"), timeout=0.05)


@pytest.fixture
async def store(config):
    backend = FilesBackend(config)
    await backend.open()
    await backend.open_self(META)
    return backend


async def test_the_folder_looks_as_its_page_says(tmp_path, store):
    await store.acquire(TICKET)
    await store.break_(TICKET.posting, by="ops", reason="stuck")
    names = {path.name if len(path.name) < 64 else "one posting" for path in (tmp_path / "bids" / "bidlock").iterdir()}
    assert names == {"lock", "meta.json", "era.json", "audit.jsonl", "one posting"}


async def test_a_break_is_written_down(tmp_path, store):
    await store.acquire(TICKET)
    await store.break_(TICKET.posting, by="ops", reason="stuck")
    line = json.loads((tmp_path / "bids" / "bidlock" / "audit.jsonl").read_text())
    assert (line["posting"], line["by"], line["reason"], line["broken"]["nonce"]) == ("market:1", "ops", "stuck", TICKET.nonce)


async def test_a_lease_ends_with_the_boot_it_belongs_to(store, monkeypatch):
    await store.acquire(TICKET)
    monkeypatch.setattr(module, "BOOT", "after a restart of the machine")
    assert (await store.inspect(TICKET.posting)).lease is None
    assert (await store.renew(TICKET)).verdict is Verdict.LOST


async def test_the_clock_goes_on_after_a_restart_of_the_machine(store, monkeypatch):
    async with store._store.step() as step:
        before = await step.now_ms()
        monkeypatch.setattr(module, "BOOT", "after a restart of the machine")
        assert await step.now_ms() > before


async def test_a_marker_outlives_the_boot(store, monkeypatch):
    token = (await store.acquire(TICKET)).token
    await store.claim(TICKET, token)
    monkeypatch.setattr(module, "BOOT", "after a restart of the machine")
    assert (await store.acquire(TICKET._replace(nonce="b" * 32))).verdict is Verdict.DONE


async def test_a_folder_that_stays_locked_is_unavailable(tmp_path, store):
    stranger = os.open(tmp_path / "bids" / "bidlock" / "lock", os.O_RDWR)
    fcntl.flock(stranger, fcntl.LOCK_EX)
    try:
        with pytest.raises(BackendUnavailable, match="stayed locked"):
            await store.acquire(TICKET)
    finally:
        os.close(stranger)
    assert (await store.acquire(TICKET)).ok


async def test_a_folder_that_went_away_is_unavailable(tmp_path, store):
    (tmp_path / "bids").rename(tmp_path / "elsewhere")
    with pytest.raises(BackendUnavailable, match="is out of reach: No such file or directory"):
        await store.acquire(TICKET)


async def test_a_path_that_is_no_folder_is_refused_with_a_remedy(tmp_path):
    (tmp_path / "bids").write_text("a file")
    with pytest.raises(ConfigurationError, match="cannot be used: Not a directory; name another in the URL"):
        await FilesBackend(BackendConfig(parse(f"files://{tmp_path}/bids"))).open()


async def test_a_draft_that_a_crash_left_behind_disturbs_nobody(tmp_path, store):
    (tmp_path / "bids" / "bidlock" / "draft").write_text('{"half a rec')
    assert (await store.acquire(TICKET)).ok
