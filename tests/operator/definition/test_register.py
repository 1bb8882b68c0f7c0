"""What the API server accepts and refuses of the register in a policy's status, on a real one."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from bidlock.migration.register import BucketRegister, Register
from bidlock.modes import MODES, Role
from bidlock_operator import registers

G = 1 << 32
BUCKET = BucketRegister("n-1", 1, counter=10)
LADDER = list(MODES)


def at(source, to=None, epoch=G + 5, authority=None, **fields):
    role = authority or (Role.TARGET if source in ("primary", "only") else Role.ORIGIN)
    return Register(epoch, source, to or source, role, "file-1", fields.pop("buckets", (BUCKET,)), **fields)


ORIGIN, TARGET = Role.ORIGIN, Role.TARGET
DUAL, ROLLING = at("dual"), at("dual", "strict")
FLIPPING, FLIPPED = at("strict", "primary"), at("strict", "primary", authority=TARGET)
LOST = at("strict", authority=TARGET, recovering=True)


def bucket(**changes):
    return replace(DUAL, buckets=(replace(BUCKET, **changes),))


ACCEPTED = {
    "nothing changes": (DUAL, DUAL),
    "a step begins upwards": (DUAL, at("dual", "strict", G + 6)),
    "a step begins downwards": (DUAL, at("dual", "sqlite", G + 6)),
    "a step is turned round": (ROLLING, at("strict", "dual", G + 6)),
    "a step settles": (ROLLING, at("strict", authority=ORIGIN)),
    "Redis gets the authority": (FLIPPING, FLIPPED),
    "SQLite gets the authority": (at("strict", "dual", authority=TARGET), at("strict", "dual")),
    "a flipped step settles": (FLIPPED, at("primary")),
    "a flipped step is turned round": (FLIPPED, at("primary", "strict", G + 6)),
    "strict rests with either authority": (at("primary", "strict"), at("strict", authority=TARGET)),
    "a later generation begins": (DUAL, at("dual", epoch=2 * G)),
    "a later generation begins in a step": (ROLLING, at("dual", "strict", 7 * G)),
    "a bucket is opened anew": (DUAL, bucket(nonce="n-2", incarnation=2)),
    "a bucket has counted": (DUAL, bucket(counter=11)),
    "a bucket is sealed and doubted": (DUAL, bucket(seal="s-1", doubted=True)),
    "another bucket is there": (DUAL, replace(DUAL, buckets=(BUCKET, BUCKET))),
    "the watermark rises": (replace(DUAL, watermark_ms=5), replace(DUAL, watermark_ms=6)),
    "the file is another": (at("primary"), replace(at("primary"), domain="file-2")),
    "a recovery ends": (LOST, at("strict")),
    "a recovery goes on": (LOST, replace(LOST, buckets=(replace(BUCKET, nonce="n-2", incarnation=2),))),
}

REFUSED = {
    "the epoch goes back": (DUAL, at("dual", epoch=G + 4), "generation << 32 | count) stays"),
    "the epoch jumps": (DUAL, at("dual", "strict", G + 7), "generation << 32 | count) stays"),
    "an earlier generation begins": (at("dual", epoch=3 * G + 5), at("dual", epoch=2 * G), "generation << 32 | count) stays"),
    "a later generation begins in its middle": (DUAL, at("dual", epoch=2 * G + 1), "generation << 32 | count) stays"),
    "a later generation begins with a step": (DUAL, at("dual", "strict", 2 * G), "generation << 32 | count) stays"),
    "a mode is jumped over": (DUAL, at("dual", "primary", G + 6), "walk one mode at a time"),
    "a step begins elsewhere": (DUAL, at("sqlite", "dual", G + 6), "walk one mode at a time"),
    "a step goes nowhere": (DUAL, at("dual", epoch=G + 6), "walk one mode at a time"),
    "a running step goes on to the next": (ROLLING, at("strict", "primary", G + 6), "walk one mode at a time"),
    "a step begins without an epoch": (DUAL, at("dual", "strict"), "within one status.epoch the only move is to settle"),
    "a step is turned round without an epoch": (ROLLING, at("strict", "dual"), "the only move is to settle"),
    "a step settles backwards": (ROLLING, DUAL, "the only move is to settle"),
    "the authority moves at rest": (at("strict"), at("strict", authority=TARGET), "status.authority moves only inside a step"),
    "the authority moves in a step that needs no move": (ROLLING, at("dual", "strict", authority=TARGET), "moves only inside a step"),
    "the authority moves to the wrong store": (FLIPPED, FLIPPING, "moves only inside a step"),
    "the authority moves and the step settles": (FLIPPING, at("primary"), "moves only inside a step"),
    "the authority moves with a new step": (at("strict"), at("strict", "primary", G + 6, authority=TARGET), "moves only inside a step"),
    "a step settles before the authority has moved": (FLIPPING, at("primary", authority=ORIGIN), "a settled mode needs its authority"),
    "a bucket vanishes": (replace(DUAL, buckets=(BUCKET, BUCKET)), DUAL, "may not vanish"),
    "a bucket's incarnation goes back": (DUAL, bucket(incarnation=0), "its incarnation may not go back"),
    "a bucket is renamed": (DUAL, bucket(nonce="n-2"), "its nonce changes only together with it"),
    "a bucket's counter goes back": (DUAL, bucket(counter=9), "recorded counter (status.buckets[].ctr) may not go back"),
    "the watermark goes back": (replace(DUAL, watermark_ms=5), replace(DUAL, watermark_ms=4), "status.watermark may not go back"),
    "the file is another while it alone holds the markers": (
        DUAL,
        replace(DUAL, domain="file-2"),
        "may change only while Redis has the authority",
    ),
    "a step begins in a recovery": (LOST, at("strict", "dual", G + 6, authority=TARGET, recovering=True), "while status.recovering"),
    "a recovery ends without the authority's move": (LOST, at("strict", authority=TARGET), "while status.recovering"),
    "a recovery begins later": (at("strict"), at("strict", recovering=True), "only from a policy's first register on"),
    "a recovery stands elsewhere": (None, at("dual", recovering=True), "settled in strict"),
    "the first register has the wrong authority": (None, at("primary", authority=ORIGIN), "a settled mode needs its authority"),
}


@pytest.mark.parametrize(("before", "after"), ACCEPTED.values(), ids=ACCEPTED)
def test_what_a_register_may_do(policies, before, after):
    assert policies.write(registers.write(before)).report(**registers.write(after)) == ""


@pytest.mark.parametrize(("before", "after", "said"), REFUSED.values(), ids=REFUSED)
def test_what_a_register_may_not_do(policies, before, after, said):
    policy = policies.write(registers.write(before) if before else {"observedGeneration": 1})

    assert said in policy.report(**registers.write(after))


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("epoch", "may not lose a field; write all of it"),
        ("from", "may not lose a field; write all of it"),
        ("to", "may not lose a field; write all of it"),
        ("authority", "may not lose a field; write all of it"),
        ("buckets", "may not vanish"),
        ("sqliteDomain", "complete or absent"),
        ("watermark", "status.watermark may not go back"),
        ("operatorEpoch", "status.operatorEpoch may not go back"),
        ("ttlMaxSeconds", "stays as the stores were founded with"),
    ],
)
def test_a_register_may_not_lose_a_field(policies, field, said):
    status = registers.write(replace(DUAL, watermark_ms=3)) | {"operatorEpoch": 3, "ttlMaxSeconds": 300}

    assert said in policies.write(status).report(**{field: None})


@pytest.mark.parametrize("field", ["from", "to", "authority", "buckets", "sqliteDomain"])
def test_a_first_register_is_complete(policies, field):
    status = registers.write(DUAL)
    del status[field]

    assert "complete or absent" in policies.write({"observedGeneration": 1}).report(**status)


def test_the_whole_status_may_not_be_removed(policies):
    assert "the status may not be removed" in policies.write(registers.write(DUAL)).drop_status()


def test_a_leader_that_was_replaced_can_write_nothing(policies):
    policy = policies.write({"operatorEpoch": 4})

    assert policy.report(operatorEpoch=4, observedGeneration=2) == ""
    assert "replaced by a newer leader" in policy.report(operatorEpoch=3, observedGeneration=3)
    assert policy.report(operatorEpoch=5) == ""


def test_the_longest_lease_stays_as_the_stores_were_founded(policies):
    assert "stays as the stores were founded with" in policies.write({"ttlMaxSeconds": 600}).report(ttlMaxSeconds=601)


def test_every_step_of_the_ladder_can_be_walked_there_and_back(policies):
    policy, epoch = policies.write(registers.write(at("sqlite", epoch=G))), G
    for source, to in [*itertools.pairwise(LADDER), *itertools.pairwise(reversed(LADDER))]:
        epoch += 1
        for register in steps(source, to, epoch):
            assert policy.report(**registers.write(register)) == ""


def steps(source, to, epoch):
    begun = at(
        source, to, epoch, authority=TARGET if ("primary" in (source, to) and source != "strict") or "only" in (source, to) else None
    )
    if (source, to) == ("strict", "dual"):
        begun = replace(begun, authority=TARGET)
    needed = {"sqlite": ORIGIN, "dual": ORIGIN, "strict": begun.authority, "primary": TARGET, "only": TARGET}[to]
    flipped = replace(begun, authority=needed)
    return begun, flipped, replace(flipped, source=to)
