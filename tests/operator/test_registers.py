"""The register in a policy's status."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bidlock.migration.register import BucketRegister, Register
from bidlock.modes import MODES, Role
from bidlock_operator import registers

words = st.text("0123456789abcdef", max_size=32)
numbers = st.integers(0, 2**53)
buckets = st.builds(BucketRegister, nonce=words, incarnation=numbers, counter=numbers, seal=words, doubted=st.booleans())
register = st.builds(
    Register,
    epoch=numbers,
    source=st.sampled_from(list(MODES)),
    to=st.sampled_from(list(MODES)),
    authority=st.sampled_from(Role),
    domain=words,
    buckets=st.lists(buckets, min_size=1, max_size=4).map(tuple),
    watermark_ms=numbers,
    recovering=st.booleans(),
)


@settings(deadline=None)  # a busy machine is slow, not wrong
@given(register)
def test_a_register_survives_the_status(written):
    assert registers.read(registers.write(written)) == written


@settings(deadline=None)
@given(register, st.randoms(use_true_random=False))
def test_the_order_of_buckets_in_a_status_does_not_matter(written, random):
    status = registers.write(written)
    random.shuffle(status["buckets"])

    assert registers.read(status) == written


def test_a_status_has_only_fields_that_the_definition_knows(schema):
    status = registers.write(Register(1, "dual", "dual", Role.ORIGIN, "file"))

    assert set(status) == set(registers.FIELDS) <= set(schema["status"]["properties"])
    assert set(status["buckets"][0]) <= set(schema["status"]["properties"]["buckets"]["items"]["properties"])


@pytest.mark.parametrize("status", [{}, {"observedGeneration": 3, "conditions": []}], ids=["none", "without a register"])
def test_a_status_without_an_epoch_has_no_register(status):
    assert registers.read(status) is None


def test_a_status_that_lacks_a_part_of_the_register_is_refused():
    status = registers.write(Register(1, "dual", "dual", Role.ORIGIN, "file"))
    del status["authority"]

    with pytest.raises(KeyError, match="authority"):
        registers.read(status)


@pytest.mark.parametrize(("role", "store"), [(Role.ORIGIN, "SQLite"), (Role.TARGET, "Redis")])
def test_users_see_the_stores_by_their_names(role, store):
    assert registers.store_of(role) == store
