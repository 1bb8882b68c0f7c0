"""Random walks through the model: what happens in one run, step by step, with the state before and after each step."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

from migration_model.scenario import Scenario
from migration_model.search import Model
from migration_model.world import World

Label = tuple[object, ...]

STEADY = 25
"""For about how many steps a human goes on wanting the same mode."""

WEIGHTS = {
    "the controller": 5.0,
    "another controller decides": 0.3,
    "the late controller": 1.0,
    "leases Redis, but never hears of it": 0.3,
    "goes on without Redis": 0.5,
    "gives up": 0.3,
    "stops": 0.5,
    "crashes": 0.3,
    "lease runs out in SQLite": 0.3,
    "lease runs out in Redis": 0.3,
    "a human accepts the loss": 5.0,
    "the original bots are scaled to zero": 0.1,
    "Redis restarts or fails over": 0.3,
    "Redis is wiped": 0.3,
    "the register is lost": 0.2,
    "an older copy of Redis comes back": 0.3,
}
"""How likely a step is beside others; 1 where nothing is said."""

AGAINST_THE_WISH = 0.05
"""Weight of a controller's step that what is wanted now does not ask for."""


class Step(NamedTuple):
    """One step of a run."""

    label: Label
    before: World
    after: World


class Trace(NamedTuple):
    """One run; the same scenario, seed and length are always the same run."""

    scenario: Scenario
    seed: int
    steps: tuple[Step, ...]


def trace(scenario: Scenario, seed: int, length: int) -> Trace:
    """A run of the model."""
    rng, model, world = random.Random(f"{scenario.name} {seed}"), Model(scenario), scenario.initial()
    steps: list[Step] = []
    wanted = rng.randrange(len(scenario.modes))
    while len(steps) < length:
        if rng.random() < 1 / STEADY:
            wanted = rng.randrange(len(scenario.modes))
        possible = [step for step in _steps(model, world) if replayable(step)]
        if not possible:
            break
        step = rng.choices(possible, [_weight(step.label, wanted) for step in possible])[0]
        steps.append(step)
        world = step.after
    return Trace(scenario, seed, tuple(steps))


def _steps(model: Model, world: World) -> Iterator[Step]:
    return (Step(label, world, after) for label, after in model.successors(world))


def _weight(label: Label, wanted: int) -> float:
    weight = WEIGHTS.get(str(label[0]), 1.0)
    if label[0] == "the controller":
        wishes = label[2]
        assert isinstance(wishes, int)
        return weight if not wishes or wishes >> wanted & 1 else AGAINST_THE_WISH
    return weight


def replayable(step: Step) -> bool:
    """Whether real stores can do what the model does here.

    Left out: a process that still works in a file that was replaced (the model gives it whatever it asks for, the real one is
    refused), and a posting created between a wipe and its plant with a stamp of after the plant (clocks cannot do that).
    """
    label, before, after = step
    if label[0] == "the posting is created":
        bucket = before.buckets[0]
        return not before.past.faults or bucket.initialised or bucket.planted is not None
    if len(label) < 3 or not isinstance(label[1], int):
        return True
    attempt = before.attempts[label[1]] or after.attempts[label[1]]
    return attempt is None or not attempt.old_file or label[0] in ("gives up", "crashes", "stops")
