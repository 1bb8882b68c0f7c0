"""Breadth-first search through every state, so that the first trace found is a shortest one."""

from __future__ import annotations

import gc
import time
from array import array
from dataclasses import dataclass

from migration_model import bidders, happenings, registers, sighting
from migration_model.bidders import Bidders, Successors
from migration_model.controllers import Controllers
from migration_model.liveness import Graph, stuck
from migration_model.properties import broken
from migration_model.scenario import LIVE, Scenario
from migration_model.symmetry import canonical
from migration_model.world import World

Step = tuple[tuple[object, ...], World]


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
        detail: The goal that cannot be reached, for LIVE.
    """

    scenario: Scenario
    states: int
    edges: int
    broken: str | None
    trace: tuple[Step, ...]
    seconds: float
    detail: str = ""


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


def explore(scenario: Scenario, *, limit: int = 20_000_000) -> Result:
    """Search until a property breaks or every state is known; then ask whether any state is stuck."""
    forget()
    gc.disable()  # millions of tuples, and no cycles among them
    try:
        return _explored(scenario, limit)
    finally:
        gc.enable()


def _explored(scenario: Scenario, limit: int) -> Result:
    started = time.monotonic()
    model, first = Model(scenario), scenario.initial()
    worlds, numbers, parents = [first], {first: 0}, array("l", [-1])
    graph, edges, current = Graph(), 0, 0

    def result(found: str | None, last: int = 0, detail: str = "") -> Result:
        seconds = time.monotonic() - started
        return Result(scenario, len(worlds), edges, found, _trace(model, worlds, parents, last), seconds, detail)

    while current < len(worlds):
        world = worlds[current]
        for label, raw in model.successors(world):
            edges += 1
            reached = raw if raw.attempts is world.attempts and raw.fleet is world.fleet else canonical(raw)
            number = numbers.get(reached)
            if number is None:
                number = numbers[reached] = len(worlds)
                worlds.append(reached)
                parents.append(current)
                if found := broken(reached, model):
                    return result(found, number)
            if scenario.live:
                graph.add(current, number, label)
        current += 1
        if current > limit:
            raise RuntimeError(f"{scenario.name}: more than {limit} states")
    if scenario.live and (held_up := stuck(scenario, worlds, graph)):
        return result(LIVE, held_up[1], held_up[0])
    return result(None)


def forget() -> None:
    """Nothing that was remembered under other rules may be used."""
    sighting.forget()
    registers.rewritten.cache_clear()
    bidders.plan_of.cache_clear()


def _trace(model: Model, worlds: list[World], parents: array[int], last: int) -> tuple[Step, ...]:
    """The way to a state. It is walked anew without exchanging slots, so that an attempt keeps its number."""
    way = []
    while last > 0:
        way.append(canonical(worlds[last]))
        last = parents[last]
    steps: list[Step] = []
    world = worlds[0]
    for aim in reversed(way):
        label, world = next(step for step in model.successors(world) if canonical(step[1]) == aim)
        steps.append((label, world))
    return tuple(steps)
