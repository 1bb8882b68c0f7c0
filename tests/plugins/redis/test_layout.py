"""How leases and markers are written."""

from __future__ import annotations

import pytest

from bidlock.backend import LeaseRecord, MarkerRecord, MarkerState
from bidlock.postings import posting
from bidlock_redis import layout
from bidlock_redis.layout import Keys

NONCE = "0123456789abcdef" * 2


def test_keys_of_a_bucket_share_one_hash_tag():
    keys = Keys("fleet", 7)
    upwork = posting("upwork", "42")
    names = [keys.meta, keys.counter, keys.quarantine, keys.audit, keys.lease(upwork), keys.markers(upwork), keys.channel(upwork)]
    assert {name.partition("}")[0] for name in names} == {"{fleet:7"}
    assert keys.lease(upwork) == "{fleet:7}:lease:upwork:42"


@pytest.mark.parametrize("state", MarkerState)
def test_a_marker_is_read_as_it_was_written(state: MarkerState):
    assert layout.read_marker(layout.marker(NONCE, 5, state, 1_700_000_000_000)) == MarkerRecord(NONCE, 5, state, 1_700_000_000_000)


def test_a_marker_fits_into_a_compact_hash():
    assert len(layout.marker(NONCE, 10**15 - 1, MarkerState.CLAIMED, 10**13 - 1)) <= 64


def test_a_lease_is_read_with_whatever_its_holder_is_called():
    assert layout.read_lease(f"{NONCE}|5|1700|a:1", 90, "", -2) == LeaseRecord(NONCE, 5, "a:1", 1700, 90)


def test_an_original_bots_lock_is_shown_as_a_lease_without_a_nonce():
    assert layout.read_lease("", -2, "host:1:abcdef01", 80) == LeaseRecord("", 0, "host:1:abcdef01", 0, 80)


def test_our_own_claim_in_an_original_bots_key_is_no_lease():
    assert layout.read_lease("", -2, f"bl1:{NONCE}", -1) is None
