"""Every configuration of the protocol keeps its properties, or breaks the one it is known to break."""

from __future__ import annotations

import pytest
from migration_model.configurations import CONFIGURATIONS, LARGE, LIVE_CONFIGURATIONS
from migration_model.search import explore
from migration_model.story import story

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("scenario", [*CONFIGURATIONS, *LIVE_CONFIGURATIONS], ids=lambda scenario: scenario.name)
def test_a_configuration_is_as_expected(scenario, seen):
    result = explore(scenario)
    seen(result)

    assert result.broken == scenario.expect, story(result)


def test_names_are_unique():
    names = [scenario.name for scenario in (*CONFIGURATIONS, *LIVE_CONFIGURATIONS, *LARGE)]

    assert len(names) == len(set(names))
