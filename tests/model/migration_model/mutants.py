"""The mutants: the protocol with one rule less (two, where each covers the other), and what breaks then."""

from __future__ import annotations

from dataclasses import dataclass, replace

from migration_model import weaker
from migration_model.configurations import CORE, TWO
from migration_model.rules import Rules
from migration_model.scenario import GAP, LIVE, MUTEX, ONCE, TOKEN, Scenario
from migration_model.weaker import Patch

from bidlock.migration import actions, deciding, rebuilding
from bidlock.migration.sight import Sight
from bidlock.modes import Role

O, T = Role.ORIGIN, Role.TARGET  # noqa: E741 — two letters keep the tables below readable


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mutant.

    Attributes:
        name: The rule that is missing.
        scenario: Where it runs; its `expect` is what breaks.
        patches: Weaker rules of the project.
    """

    name: str
    scenario: Scenario
    patches: tuple[Patch, ...] = ()


def store(name: str, breaks: str | None, modes: tuple[str, ...] = CORE, *patches: Patch, off: str, **options: object) -> Mutant:
    """A mutant of the stores' or bidders' rules; `off` names the switches."""
    rules = replace(Rules(), **dict.fromkeys(off.split(), False))
    return Mutant(name, _scenario(name, breaks, modes, rules=rules, **options), patches)


def choice(name: str, breaks: str | None, modes: tuple[str, ...] = CORE, *patches: Patch, **options: object) -> Mutant:
    """A mutant of the project's decisions or of its mode table."""
    return Mutant(name, _scenario(name, breaks, modes, **options), patches)


def _scenario(name: str, breaks: str | None, modes: tuple[str, ...], **options: object) -> Scenario:
    checks = options.pop("checks", (breaks,) if breaks and breaks != LIVE else (MUTEX, ONCE, TOKEN))
    return Scenario(name, modes, expect=breaks, checks=checks, **options)  # type: ignore[arg-type]  # names are checked by the dataclass


d, w = deciding, weaker
RESTART = {"restarts": True, "start": "primary"}
SEAL = {"restarts": True, "durable": False, "seals": 1, "slots": 1}
LOSS = {"wipes": True, "accepts": True, "start": "primary"}
OLD_FILE = {"replaced_file": True, "start": "strict", "authority": T}

DECISIONS = (
    choice("fence and close: the class is closed before the flip", ONCE, CORE, w.flip_without(d.fence), w.without(d.close_door)),
    choice(
        "fence writes its epoch even if nothing is open",
        MUTEX,
        CORE,
        w.flip_instead(d.fence, w.fence_if_open),
        second="idle",
        late=("Open",),
        start="strict",
    ),
    choice("drain", MUTEX, CORE, w.flip_without(d.drain)),
    choice("drain also waits for leases that a loss took", MUTEX, CORE, w.flip_instead(d.drain, w.drain_without_whole), wipes=True),
    choice("copy forward", ONCE, CORE, w.flip_instead(d.copy, w.only_from(T))),
    choice("copy back", ONCE, CORE, w.flip_instead(d.copy, w.only_from(O))),
    choice("copy after fence and drain", ONCE, CORE, w.flip(d.flip_needs_both, d.copy, d.drain), w.without(d.close_door)),
    choice("authority before open", ONCE, CORE, w.open_first()),
    choice("the authority is flipped at all", MUTEX, CORE, w.without(d.flip_authority)),
    choice("a loss under Redis' authority halts", ONCE, TWO, (d, "lost", lambda sight, number: False), start="primary", wipes=True),
    choice(
        "what is neither durable nor sealed is lost", ONCE, ("primary",), (Sight, "kept", w.kept_unless_gone), restarts=True, durable=False
    ),
    choice("the same, for leases", MUTEX, ("primary",), (Sight, "kept", w.kept_unless_gone), restarts=True, durable=False),
    choice(
        "a store that counts less is gone",
        ONCE,
        ("primary",),
        (Sight, "gone", lambda self, number: False),
        older_copy="recorded",
        tokens=True,
    ),
    choice("a seal has a name", ONCE, ("primary",), (Sight, "kept", w.kept_by_any_seal), **SEAL | {"seals": 2, "faults": 2}),
    choice(
        "under a seal nothing is opened", ONCE, ("primary",), (d, "admit", w.admit_with(closed_under_seal=False)), **SEAL | {"faults": 2}
    ),
    choice("resume before reopen", ONCE, ("primary",), (d, "keep_seal", w.reopen_first), **SEAL),
    choice("windows follow the authority", MUTEX, TWO, (Sight, "windows", w.windows_of_both), start="strict", wipes=True),
    choice(
        "the incarnation is recorded before it is opened",
        ONCE,
        TWO,
        (d, "admit", w.admit_with(recorded=False)),
        wipes=True,
        second="idle",
        late=("Authorise",),
        slots=1,
    ),
    choice("an accepted loss sets the watermark", ONCE, ("primary",), (d, "admit", w.admit_with(marked=False)), **LOSS),
    choice("a replaced file is adopted", ONCE, ("dual", "strict"), w.without(d.adopt_file, d.adopt_in_buckets), **OLD_FILE),
    choice("a replaced file is adopted by the buckets", ONCE, ("dual", "strict"), w.without(d.adopt_in_buckets), **OLD_FILE),
    choice(
        "original bots are waited for, by the flip or the roll-out",
        MUTEX,
        CORE,
        w.flip_without(d.wait_for_original_bots),
        w.instead(d.roll, w.roll_unwatched),
        bots="bare",
    ),
    choice(
        "original bots are let in only where SQLite keeps the authority",
        ONCE,
        CORE,
        w.instead(d.admit_original_bots, w.bots_let_in_anywhere),
        bots="fence",
        lets=True,
    ),
    choice(
        "nobody lets original bots in under the epoch of a flip",
        ONCE,
        TWO,
        w.instead(d.admit_original_bots, w.bots_let_in_during_a_flip),
        bots="fence",
        lets=True,
        second="idle",
        late=("Open",),
        start="strict",
    ),
    choice("open before roll", GAP, CORE, w.roll_first(), fleet=True),
    choice("the roll-out is waited for", GAP, CORE, w.instead(d.roll, w.roll_unwatched), fleet=True),
    choice("one step at a time", GAP, CORE, w.instead(d.rest_or_begin, w.begin_at_once), fleet=True),
    choice("restarted buckets are recovered", LIVE, TWO, w.without(d.recover), fleet=True, slots=1, restarts=True, live=True),
    choice(
        "a server that another followed is closed first",
        LIVE,
        TWO,
        (d, "name", lambda sight, number: actions.Plant(number)),
        fleet=True,
        slots=1,
        two_servers="SQLite",
        faults=2,
        live=True,
    ),
    choice("what is required is opened", GAP, TWO, w.without(d.open_door), fleet=True),
    choice(
        "fence or close every bucket",
        MUTEX,
        CORE,
        w.flip_instead(d.fence, w.on_last_bucket(d.fence)),
        w.instead(d.close_door, w.on_last_bucket(d.close_door)),
        buckets=2,
        start="primary",
    ),
    choice("drain every bucket", MUTEX, CORE, w.flip_instead(d.drain, w.on_last_bucket(d.drain)), buckets=2, start="primary"),
    choice("copy every bucket", ONCE, CORE, w.flip_instead(d.copy, w.on_last_bucket(d.copy)), buckets=2),
)

REGISTER = (
    choice(
        "a rebuilt register starts a generation, not epoch + 1",
        ONCE,
        CORE,
        *w.epoch_above(1),
        lost_register=True,
        second="idle",
        late=("Open",),
        slots=1,
    ),
    choice(
        "a rebuilt register starts above what is seen",
        ONCE,
        CORE,
        *w.epoch_above(0),
        lost_register=True,
        second="idle",
        late=("Open",),
        slots=1,
    ),
    choice("the authority is not guessed to be SQLite", ONCE, CORE, w.rebuilt_as(O), lost_register=True, start="primary"),
    choice("the authority is not guessed to be Redis", ONCE, CORE, w.rebuilt_as(T), lost_register=True),
    choice(
        "nothing begins while recovering",
        ONCE,
        CORE,
        w.instead(d.rest_or_begin, w.begin_while_recovering),
        (d, "authority_of", w.authority_while_recovering),
        lost_register=True,
        slots=1,
    ),
    choice("recovering drains", MUTEX, CORE, w.flip_without(d.drain), lost_register=True, start="primary"),
    choice("recovering copies", ONCE, CORE, w.flip_without(d.copy), lost_register=True, start="primary"),
    choice(
        "without Redis and without windows it halts",
        ONCE,
        CORE,
        (rebuilding, "rebuild", w.rebuilt_without_redis),
        lost_register=True,
        wipes=True,
        faults=2,
        slots=1,
        start="primary",
    ),
)

TABLE = (
    choice("dual rests on SQLite", MUTEX, ("sqlite", "dual"), w.mode("dual", required=(T,), best_effort=(), claims=(T,))),
    choice("strict does not fall back", MUTEX, CORE, w.mode("strict", required=(O,), best_effort=(T,), confirms=(), claims=(O,))),
    choice("primary does not fall back", MUTEX, ("primary", "only"), w.mode("primary", required=(O,), best_effort=(T,), claims=(O,))),
    choice("strict claims in Redis last", ONCE, TWO, w.mode("strict", claims=(T, O)), wipes=True),
    choice("strict claims in both", ONCE, CORE, w.mode("strict", claims=(O,))),
    choice("strict confirms Redis", TOKEN, TWO, w.mode("strict", confirms=()), tokens=True),
    choice("strict leases SQLite, too", MUTEX, CORE, w.mode("strict", required=(T,), claims=(T,))),
)

STORES = (
    store("the guard compares the mode", MUTEX, off="guard_checks_mode"),
    store("the guard misses a wiped meta", MUTEX, off="guard_checks_meta", wipes=True),
    store("the guard compares the run", MUTEX, TWO, off="guard_checks_run", durable=False, **RESTART),
    store("the guard compares the file", ONCE, ("dual", "strict"), off="guard_checks_domain", **OLD_FILE),
    store("a held lease is refused", MUTEX, off="refuse_held"),
    store("the token is not below Redis'", TOKEN, off="floor", tokens=True),
    store("confirm raises Redis' counter", TOKEN, off="confirm_raises_counter", tokens=True, slots=1),
    store("confirm asks", TOKEN, TWO, off="confirm_asks", tokens=True),
    store("claim compares the lease and the mode", ONCE, off="claim_checks_lease claim_checks_mode"),
    store("claim or acquire compares the marker", ONCE, off="claim_checks_marker refuse_marked"),
    store("claim comes before the bid", ONCE, off="claim_before_bid"),
    store("claim counts", ONCE, ("primary",), off="claim_counts", older_copy="recorded", tokens=True),
    store("markers stay", ONCE, off="markers_stay"),
    store("release compares the holder", MUTEX, off="release_checks_holder"),
    store("renew compares the mode", MUTEX, off="renew_checks_mode"),
    store("acquire is acknowledged", MUTEX, ("primary",), off="acknowledge_acquire", **RESTART),
    store("confirm is acknowledged", MUTEX, TWO, off="acknowledge_confirm", **RESTART),
    store("claim is acknowledged", ONCE, ("primary",), off="acknowledge_claim", **RESTART),
    store("renew is acknowledged", MUTEX, ("primary",), off="acknowledge_renew", **RESTART),
    store("copy is acknowledged", ONCE, off="acknowledge_copy", restarts=True, slots=1),
    store("an older epoch is refused", MUTEX, off="epoch_refuses", second="idle", late=("Open",), start="strict"),
    store("the register is compared", ONCE, off="register_compares", second="idle", late=("Settle",), slots=1),
    store(
        "bless names the nonce", ONCE, ("primary",), off="bless_names_nonce", second="idle", restarts=True, wipes=True, slots=1, faults=2
    ),
    store("bless keeps the leases", MUTEX, ("primary",), off="bless_keeps_leases", **RESTART),
    store(
        "a nonce is fresh", ONCE, TWO, off="nonce_is_fresh", wipes=True, second="idle", late=("Bless",), slots=1, faults=2, start="strict"
    ),
    store("bless and the controller bring the watermark", ONCE, ("primary",), off="bless_watermark_from_register", **LOSS | {"faults": 2}),
    store("an old posting is refused", ONCE, ("primary",), off="watermark_refuses", **LOSS),
    store("the seal closes", ONCE, ("primary",), off="seal_closes", **SEAL),
    store("a seal is fresh", ONCE, ("primary",), off="seal_is_fresh", **SEAL | {"seals": 2, "faults": 2}),
    store("a sealed store refuses open", ONCE, ("primary", "only"), off="sealed_refuses_open", second="idle", late=("Open",), **SEAL),
    store("reopen names the seal", ONCE, ("primary",), off="reopen_names_seal", second="idle", **SEAL | {"seals": 2}),
    store(
        "a copy names what it goes into",
        ONCE,
        TWO,
        off="copy_names_identity",
        second="idle",
        late=("Copy",),
        wipes=True,
        start="strict",
        slots=1,
    ),
    store("a copy carries the counter", TOKEN, off="copy_carries_counter", tokens=True),
    store("one stamp per bucket", ONCE, CORE, (d, "unsynced", w.unsynced_backwards), off="stamp_per_bucket", buckets=2, start="primary"),
    store("bots obey the window", MUTEX, off="bots_obey_windows", bots="fence"),
    store("bots obey markers", ONCE, off="bots_obey_markers", bots="fence"),
    store("bots leave markers", ONCE, off="bots_leave_markers", bots="fence"),
    store("an heir asks the guard", MUTEX, off="heir_asks_guard", passes="across", pass_modes=True),
    store("an heir gets a new token", TOKEN, ("primary",), off="heir_gets_new_token", passes="inside", tokens=True),
    store("an heir sets the time anew", MUTEX, ("primary",), off="heir_sets_ttl", passes="across"),
    store("an heir waits for its answer", MUTEX, ("primary",), off="heir_waits_for_answer", passes="across", start="primary"),
    store("the giver stops first", MUTEX, ("primary",), off="giver_stops", passes="inside"),
)

MUTANTS = (*DECISIONS, *REGISTER, *TABLE, *STORES)

REDUNDANT = (
    choice("close at the end: fence closes the class anyway", None, CORE, w.without(d.close_door)),
    choice("fence alone: close did it", None, CORE, w.flip_without(d.fence)),
    choice("both stores at the flip: the copy needs them", None, CORE, w.flip_without(d.flip_needs_both), partition=True),
    choice("turning round: the step is finished and taken back", None, CORE, w.without(d.turn_round)),
    choice("raising watermarks: bless and copy bring them", None, TWO, w.without(d.raise_watermarks), **LOSS | {"slots": 1}),
    choice(
        "what is not durable is not rebuilt from: the loss halts anyway",
        None,
        ("strict",),
        (rebuilding, "rebuild", w.rebuilt_from_anything),
        lost_register=True,
        restarts=True,
        durable=False,
        faults=2,
        authority=T,
    ),
    choice(
        "the watermark is read back from the stores: bless and copy keep theirs",
        None,
        ("primary",),
        w.recreated_with(watermark_ms=0),
        lost_register=True,
        **LOSS | {"faults": 3},
    ),
    choice(
        "original bots are waited for at the flip: the roll-out waits",
        None,
        CORE,
        w.flip_without(d.wait_for_original_bots),
        bots="bare",
        slots=1,
        checks=(MUTEX,),
    ),
    store("claim compares the lease: the marker and the mode do", None, TWO, off="claim_checks_lease"),
    store("claim compares the mode: the lease does", None, TWO, off="claim_checks_mode"),
    store("a marker refuses the lease: claim refuses it", None, TWO, off="refuse_marked"),
    store(
        "a blessed store counts higher: what was acknowledged is there",
        None,
        ("primary",),
        off="bless_raises_counter",
        tokens=True,
        **RESTART,
    ),
    store("a copy carries the watermark: the controller raises it", None, TWO, off="copy_carries_watermark", **LOSS | {"slots": 1}),
)
