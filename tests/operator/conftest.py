"""What tests of the operator share."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

DEFINITION = Path(__file__).parents[2] / "charts/bidlock/files/bidlockpolicies.yaml"


@pytest.fixture(scope="session")
def definition():
    """The CustomResourceDefinition, as the chart installs it."""
    return yaml.load(DEFINITION.read_text(), yaml.CSafeLoader)


@pytest.fixture(scope="session")
def schema(definition):
    """Its properties: `spec` and `status`."""
    return definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
