"""The attempt against stores whose answers are given: real memory stores in each role, and links that fail on cue."""

import uuid

import pytest

from bidlock.addresses import parse
from bidlock.attempts import Attempt
from bidlock.backend import Answer, BackendConfig, MarkerState, SelfMeta, Ticket, Verdict
from bidlock.clock import SystemClock
from bidlock.errors import BackendAmbiguous, BackendUnavailable
from bidlock.memory import STORES, MemoryBackend, bidlock_backends
from bidlock.modes import MODES, Role
from bidlock.outcomes import SkipReason
from bidlock.postings import posting
from bidlock.settings import Settings
from bidlock.stores import Store

ORIGIN, TARGET = Role.ORIGIN, Role.TARGET


class Flaky(MemoryBackend):
    """A memory store whose next steps fail as listed: `{"claim": [BackendAmbiguous]}` acts and loses the answer."""

    def __init__(self, config):
        super().__init__(config)
        self.faults = {}
        self.steps = []


for _name in ("acquire", "confirm", "renew", "claim", "record", "mark", "release"):

    async def _wrapped(self, *args, _name=_name, **kwargs):
        self.steps.append(_name)
        faults = self.faults.get(_name)
        fault = faults.pop(0) if faults else None
        if isinstance(fault, Answer):
            return fault
        if fault is BackendUnavailable:
            raise BackendUnavailable
        answer = await getattr(MemoryBackend, _name)(self, *args, **kwargs)
        if fault is BackendAmbiguous:
            raise BackendAmbiguous
        return answer

    setattr(Flaky, _name, _wrapped)


@pytest.fixture
async def stores():
    """An origin and a target that admit every mode."""
    settings = Settings(margin=0.01, reach_timeout=0.2)
    made = {}
    for role in Role:
        config = BackendConfig(parse(f"memory://{uuid.uuid4().hex}"))
        backend = Flaky(config)
        await backend.open_self(SelfMeta("only", 60_000, 10))
        backend.store.meta.modes = frozenset(MODES)
        made[role] = Store(role, backend, bidlock_backends()[0].capabilities, settings)
    return made


@pytest.fixture
def attempt(stores):
    """Make an attempt in a mode; each has a nonce of its own."""

    def make(mode, ttl_ms=2000):
        ticket = Ticket(posting("upwork", "1"), uuid.uuid4().hex, mode, "me", ttl_ms)
        return Attempt(stores, MODES[mode], ticket, SystemClock(), patience=0.2)

    return make


def steps(stores, role):
    return stores[role].backend.steps


@pytest.mark.parametrize(
    ("mode", "origin", "target"),
    [
        ("sqlite", ["acquire", "claim", "record", "release"], []),
        ("dual", ["acquire", "claim", "record", "release"], ["acquire", "mark", "release"]),
        ("strict", ["acquire", "claim", "record", "release"], ["acquire", "confirm", "claim", "record", "release"]),
        ("primary", ["mark"], ["acquire", "claim", "record", "release"]),
        ("only", [], ["acquire", "claim", "record", "release"]),
    ],
)
async def test_each_mode_walks_its_own_steps(stores, attempt, mode, origin, target):
    one = attempt(mode)

    assert await one.acquire() is None
    assert await one.claim() is None
    assert await one.record(MarkerState.PLACED) is None
    await one.release()
    assert (steps(stores, ORIGIN), steps(stores, TARGET)) == (origin, target)


@pytest.mark.parametrize("mode", MODES)
async def test_a_second_attempt_is_refused_while_the_first_holds(attempt, mode):
    assert await attempt(mode).acquire() is None

    refusal = await attempt(mode).acquire()
    assert refusal.reason is SkipReason.HELD
    assert 0 < refusal.remaining_ms <= 2000


@pytest.mark.parametrize("fault", [BackendUnavailable, BackendAmbiguous, Answer(Verdict.CLOSED), Answer(Verdict.MODE)])
async def test_dual_goes_on_with_the_origin_alone_when_the_target_has_no_vote(stores, attempt, fault):
    stores[TARGET].backend.faults["acquire"] = [fault]
    stores[TARGET]._managed = True

    assert await attempt("dual").acquire() is None


async def test_dual_skips_what_the_target_knows_to_be_held(stores, attempt):
    await attempt("only").acquire()

    assert (await attempt("dual").acquire()).reason is SkipReason.HELD
    assert "acquire" not in steps(stores, ORIGIN)


async def test_strict_raises_the_targets_counter_above_the_origins_token(stores, attempt):
    stores[ORIGIN].backend.store.counter = 500
    one = attempt("strict")
    await one.acquire()

    assert one.token == 501
    assert stores[TARGET].backend.store.counter == 501


@pytest.mark.parametrize("step", ["acquire", "confirm", "claim", "record", "release"])
@pytest.mark.parametrize("fault", [BackendUnavailable, BackendAmbiguous])
async def test_an_answer_that_never_came_is_asked_again_under_the_same_nonce(stores, attempt, step, fault):
    stores[TARGET].backend.faults[step] = [fault]
    one = attempt("strict")

    assert await one.acquire() is None
    assert await one.claim() is None
    assert await one.record(MarkerState.PLACED) is None
    await one.insist_on_release()
    assert STORES[_store_name(stores[TARGET])].leases == {}


def _store_name(store):
    return next(name for name, kept in STORES.items() if kept is store.backend.store)


async def test_a_store_that_never_answers_ends_the_attempt_as_unreachable(stores, attempt):
    stores[ORIGIN].backend.faults["acquire"] = [BackendUnavailable] * 1000
    refusal = await attempt("strict").acquire()

    assert (refusal.reason, refusal.role) == (SkipReason.UNREACHABLE, ORIGIN)
    assert stores[TARGET].backend.store.leases == {}


async def test_a_holder_rides_through_a_closed_store(stores, attempt):
    stores[TARGET]._managed = True
    one = attempt("only")
    await one.acquire()
    stores[TARGET].backend.faults["claim"] = [Answer(Verdict.CLOSED), Answer(Verdict.MODE), BackendUnavailable]

    assert await one.claim() is None


async def test_a_claim_is_never_sent_after_the_deadline(stores, attempt):
    one = attempt("only")
    await one.acquire()
    one.deadline = 0

    assert (await one.claim()).reason is SkipReason.LOST
    assert "claim" not in steps(stores, TARGET)


async def test_the_deadline_counts_from_before_the_question_that_was_answered(attempt):
    clock = SystemClock()
    before = clock.monotonic()
    one = attempt("only", ttl_ms=2000)
    await one.acquire()

    assert before + 2 - 0.03 <= one.deadline <= clock.monotonic() + 2 - 0.03


async def test_an_attempt_refused_by_the_second_store_leaves_nothing_in_the_first(stores, attempt):
    await attempt("sqlite").acquire()

    assert (await attempt("strict").acquire()).reason is SkipReason.HELD
    assert stores[TARGET].backend.store.leases == {}


async def test_a_release_that_a_busy_store_did_not_do_is_not_done(stores, attempt):
    one = attempt("only")
    await one.acquire()
    stores[TARGET].backend.faults["release"] = [Answer(Verdict.BUSY)]

    assert not await one.release()
    await one.insist_on_release()
    assert await attempt("only").acquire() is None
