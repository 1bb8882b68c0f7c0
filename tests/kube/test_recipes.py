"""The same recipe gives the same program; anything else gives another key."""

from __future__ import annotations

import dataclasses

import pytest

from bidlock_kube import recipes
from bidlock_kube.programs import API_TIER, NODE_TIER, PROGRAMS


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(recipes.Recipe)])
def test_a_recipe_that_differs_in_anything_has_another_key(tiny, field):
    recipe = recipes.of(tiny, "1.26.0")

    assert dataclasses.replace(recipe, **{field: "something else"}).key != recipe.key


def test_a_recipe_has_the_same_key_every_time(tiny):
    assert recipes.of(tiny, "1.26.0").key == recipes.of(tiny, "1.26.0").key


@pytest.mark.parametrize("name", ["go.mod", "go.sum"])
def test_another_pin_is_another_recipe(tiny, name):
    before = recipes.of(tiny, "1.26.0")
    with (tiny.module.folder / name).open("a") as pins:
        pins.write("\n// changed\n")

    assert recipes.of(tiny, "1.26.0") != before


def test_other_stamps_are_another_recipe(tiny):
    stamped = dataclasses.replace(tiny, module=dataclasses.replace(tiny.module, stamps=()))

    assert recipes.of(stamped, "1.26.0").flags != recipes.of(tiny, "1.26.0").flags


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=str)
def test_every_program_has_a_pinned_version(program):
    assert program.module.version.startswith("v")
    assert recipes.of(program, "1.26.0").key.startswith(f"{program.name}-v")


def test_kubernetes_is_told_its_version():
    assert "-X k8s.io/component-base/version.gitVersion=v1.34." in PROGRAMS["kubelet"].module.ldflags


def test_the_node_tier_holds_the_api_tier():
    assert set(API_TIER) < set(NODE_TIER) == set(PROGRAMS)
