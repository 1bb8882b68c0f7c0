"""Questions that the model answers with a refusal, or that change nothing: the real stores have to answer the same."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterator
from typing import NamedTuple

from migration_model import scripts
from migration_model.rules import Rules
from migration_model.scenario import Scenario
from migration_model.scripts import LEGACY, OK, Asker
from migration_model.world import World
from migration_replay.bidding import Bidding, Player

from bidlock.backend import Answer
from bidlock.modes import MODES, Role

STRANGER = 7
"""A slot that no attempt has: whoever asks holds nothing."""


class Probe(NamedTuple):
    """One question, the model's answer, and how to put it to the real store."""

    name: str
    role: Role
    expected: str
    question: Callable[..., Awaitable[Answer]]


def probes(scenario: Scenario, world: World, bidding: Bidding, domain: str, rng: random.Random) -> Iterator[Probe]:
    """What may be asked now without changing anything: by everybody who is there, and by a stranger in some mode."""
    for slot, player in bidding.players.items():
        attempt = world.attempts[slot]
        if attempt and player.ticket.mode != LEGACY and not attempt.old_file:
            yield from _asked(world, player, slot, attempt.heir)
    stranger = Player(bidding.ticket(rng.choice(scenario.modes), domain))
    yield from _asked(world, stranger, STRANGER, "")


def _asked(world: World, player: Player, slot: int, heir: str) -> Iterator[Probe]:
    mode = player.ticket.mode
    domain = world.files[0].domain
    asker = Asker(slot, mode, domain, heir)
    if Role.TARGET in MODES[mode].roles:
        yield from _about(Role.TARGET, _of_bucket(world, asker), player, holds=world.buckets[0].holder == slot)
    if Role.ORIGIN in MODES[mode].roles:
        yield from _about(Role.ORIGIN, _of_file(world, asker), player, holds=world.files[0].holder == slot)


def _of_bucket(world: World, asker: Asker) -> dict[str, str]:
    bucket, rules = world.buckets[0], Rules()
    guarded = scripts.guard_bucket(bucket, asker, rules)
    return {
        "acquire": scripts.acquire_bucket(bucket, asker, world.past.posted, rules, count=False)[0],
        "confirm": scripts.confirm_bucket(bucket, asker, 0, rules)[0],
        "claim": scripts.claim_bucket(bucket, asker, rules, count=False)[0],
        "renew": guarded if guarded != OK else OK if bucket.holder == asker.slot else scripts.LOST,
    }


def _of_file(world: World, asker: Asker) -> dict[str, str]:
    file, rules = world.files[0], Rules()
    guarded = scripts.guard_file(file, asker, rules)
    return {
        "acquire": scripts.acquire_file(file, asker, world.past.posted, 0, rules, count=False)[0],
        "claim": scripts.claim_file(file, asker, rules, count=False)[0],
        "renew": guarded if guarded != OK else OK if file.holder == asker.slot else scripts.LOST,
    }


def _about(role: Role, answers: dict[str, str], player: Player, *, holds: bool) -> Iterator[Probe]:
    giver = player.giver.nonce if player.giver else ""
    questions: dict[str, Callable[..., Awaitable[Answer]]] = {
        "acquire": lambda store: store.acquire(player.ticket, floor=player.token, passed_from=giver),
        "confirm": lambda store: store.confirm(player.ticket, player.token),
        "claim": lambda store: store.claim(player.ticket, player.token),
        "renew": lambda store: store.renew(player.ticket),
    }
    for verb, expected in answers.items():
        if verb == "acquire" and holds and expected == scripts.HELD:
            continue  # who asks again gets its lease anew, with another token in SQLite; the model never asks again
        # An heir's rows still have the giver's nonce: the model's renew does not tell the two apart.
        if expected != OK or (verb == "renew" and player.giver is None):
            yield Probe(f"{verb} by {player.ticket.mode}", role, expected, questions[verb])
