"""Breadth-first search through every state, so that the first trace found is a shortest one."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass

from migration_model import bidders, happenings, sighting
from migration_model.bidders import Bidders, Successors
from migration_model.controllers import Controllers
from migration_model.properties import broken
from migration_model.scenario import Scenario
from migration_model.symmetry import canonical
from migration_model.world import World


@dataclass(frozen=True, slots=True)
class Result:
    """What a run found.

    Attributes:
        scenario: What was run.
        states: States reached.
        edges: Steps between them.
        broken: The property that breaks first; None for none.
        trace: Labels and states of a shortest way there.
        seconds: How long it took.
    """

    scenario: Scenario
    states: int
    edges: int
    broken: str | None
    trace: tuple[tuple[tuple[object, ...], World], ...]
    seconds: float


class Model:
    """All successors of a state."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.bidders = Bidders(scenario)
        self.controllers = Controllers(scenario)

    def successors(self, world: World) -> Successors:
        """Every step that anybody may take."""
        scenario = self.scenario
        yield from self.bidders.successors(world)
        yield from happenings.time_passes(world, scenario)
        yield from happenings.disk_catches_up(world)
        yield from happenings.faults(world, scenario)
        yield from happenings.second_bucket_settles(world)
        yield from happenings.people(world, scenario)
        if scenario.controller:
            yield from self.controllers.successors(world)


def explore(scenario: Scenario, *, limit: int = 5_000_000) -> Result:
    """Search until a property breaks or every state is known."""
    forget()
    started = time.monotonic()
    gc.disable()
    try:
        model, first = Model(scenario), scenario.initial()
        parents: dict[World, World | None] = {first: None}
        layer, edges = [first], 0
        while layer:
            following: list[World] = []
            for world in layer:
                for _, raw in model.successors(world):
                    edges += 1
                    reached = raw if raw.attempts is world.attempts and raw.fleet is world.fleet else canonical(raw)
                    if reached in parents:
                        continue
                    parents[reached] = world
                    following.append(reached)
                    if found := broken(reached, model):
                        trace = _trace(model, parents, reached)
                        return Result(scenario, len(parents), edges, found, trace, time.monotonic() - started)
            if len(parents) > limit:
                raise RuntimeError(f"{scenario.name}: more than {limit} states")
            layer = following
        return Result(scenario, len(parents), edges, None, (), time.monotonic() - started)
    finally:
        gc.enable()


def forget() -> None:
    """Nothing that was remembered under other rules may be used."""
    sighting.forget()
    bidders.plan_of.cache_clear()


def _trace(model: Model, parents: dict[World, World | None], last: World) -> tuple[tuple[tuple[object, ...], World], ...]:
    """The way to a state; labels are found again by asking for the successors once more."""
    steps: list[tuple[tuple[object, ...], World]] = []
    while (before := parents[last]) is not None:
        label = next(label for label, raw in model.successors(before) if last in (raw, canonical(raw)))
        steps.append((label, last))
        last = before
    return tuple(reversed(steps))
