"""The model itself: what it drives is the project's, it does what it should at all, and a trace reads as a story."""

from __future__ import annotations

import pytest
from migration_model import weaker
from migration_model.bidders import plan_of
from migration_model.mutants import MUTANTS
from migration_model.scenario import Scenario
from migration_model.search import Model, explore
from migration_model.story import story, told

from bidlock.migration import deciding
from bidlock.modes import MODES, Role

CORE = ("dual", "strict", "primary")


def walk(scenario):
    """Everything that happens somewhere in a scenario: the words of the labels."""
    model, first = Model(scenario), scenario.initial()
    known, todo, said = {first}, [first], set()
    while todo:
        for label, world in model.successors(todo.pop()):
            said.add(told(label).removesuffix(" 0"))
            if world not in known:
                known.add(world)
                todo.append(world)
    return said


def test_a_plan_is_the_row_of_the_mode_table():
    assert [verb for verb, _ in plan_of("strict", False, True).steps] == ["acquire", "acquire", "confirm", "claim", "claim", "bid"]
    assert [role for _, role in plan_of("strict", False, True).steps[:2]] == list(MODES["strict"].required)


def test_the_whole_walk_happens():
    said = " | ".join(walk(Scenario("walk", CORE, slots=1)))

    for step in ("FENCE → SQLite", "COPY SQLite → Redis", "AUTHORISE Redis", "FENCE → Redis", "COPY Redis → SQLite", "AUTHORISE SQLite"):
        assert step in said


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ({"wipes": True}, ("Redis is wiped", "PLANT", "INCARNATE", "BLESS")),
        ({"restarts": True, "seals": 1, "only": "primary"}, ("SEALING", "SEAL seal1", "RESUME", "REOPEN")),
        ({"lost_register": True}, ("the register is lost", "RECREATE")),
        pytest.param({"second": "idle"}, ("another controller decides", "the late controller"), marks=pytest.mark.slow),
        pytest.param(
            {"wipes": True, "accepts": True, "start": "strict", "authority": Role.TARGET},
            ("a human accepts the loss", "the posting is created"),
            marks=pytest.mark.slow,
        ),
        pytest.param({"buckets": 2, "wipes": True}, ("the other bucket is wiped", "(bucket 1)"), marks=pytest.mark.slow),
        ({"passes": "inside"}, ("passes its lease on",)),
        ({"bots": "fence", "start": "dual"}, ("(legacy) bids", "scaled to zero")),
    ],
)
def test_what_a_scenario_allows_happens(options, steps):
    modes = (options["only"],) if "only" in options else ("dual", "strict")
    allowed = {name: value for name, value in options.items() if name != "only"}
    said = " | ".join(walk(Scenario("happens", modes, slots=1, **allowed)))

    assert not [step for step in steps if step not in said]


def test_a_replaced_file_is_initialised_and_adopted():
    said = " | ".join(walk(Scenario("file", ("strict",), slots=1, replaced_file=True, authority=Role.TARGET)))

    assert all(step in said for step in ("INITIALISE", "ADOPTDOMAIN file2", "ADOPT → Redis"))


def test_a_trace_is_a_story():
    mutant = next(mutant for mutant in MUTANTS if mutant.name == "the guard compares the mode")
    told_story = story(explore(mutant.scenario)).splitlines()

    assert told_story[0] == "the guard compares the mode: MUTEX breaks in 3 steps"
    assert told_story[1].startswith("  1 attempt 1 (")
    assert "believes in SQLite" in told_story[-1]


def test_a_weaker_rule_is_gone_after_its_run():
    real = deciding.RULES

    with weaker.patched((weaker.without(deciding.roll),)):
        assert real != deciding.RULES

    assert deciding.RULES is real
