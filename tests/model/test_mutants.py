"""Whoever drops a rule breaks something; the rules whose loss is harmless are known."""

from __future__ import annotations

import pytest
from migration_model.mutants import MUTANTS, REDUNDANT
from migration_model.search import explore
from migration_model.story import story
from migration_model.weaker import patched

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_without_this_rule_something_breaks(mutant, seen):
    with patched(mutant.patches):
        result = explore(mutant.scenario)
    seen(result)

    assert result.broken == mutant.scenario.expect, story(result)


@pytest.mark.parametrize("mutant", REDUNDANT, ids=lambda mutant: mutant.name)
def test_without_this_rule_nothing_breaks(mutant, seen):
    with patched(mutant.patches):
        result = explore(mutant.scenario)
    seen(result)

    assert result.broken is None, story(result)


def test_there_are_enough_of_them():
    assert len(MUTANTS) >= 35
