"""The schema is closed and described, and what is generated from it is up to date."""

import json
import subprocess
import sys

import pytest
from bidlock_chart.helm import CHART

ROOT = CHART.parents[1]


@pytest.fixture(scope="module")
def groups():
    """Every object of the schema whose keys are the chart's own, by its path."""

    def walk(path, node):
        if "properties" in node:
            yield path, node
        for word, child in node.items():
            if isinstance(child, dict):
                yield from walk(f"{path}/{word}", child)

    return dict(walk("", json.loads((CHART / "values.schema.json").read_text())))


def test_the_values_file_and_the_readme_are_as_the_schema_says():
    checked = subprocess.run([sys.executable, ROOT / "tools" / "chart", "--check"], capture_output=True, text=True)

    assert checked.returncode == 0, checked.stdout


def test_every_value_is_described(groups):
    missing = [
        f"{path}/{name}" for path, group in groups.items() for name, value in group["properties"].items() if not value.get("description")
    ]

    assert not missing


def test_no_group_takes_a_key_that_it_does_not_know(groups):
    """But `global`, in which a parent chart keeps keys for other charts. `propertyNames` makes helm say what is allowed."""
    closed = {path: group for path, group in groups.items() if path != "/properties/global"}

    assert [path for path, group in closed.items() if group.get("additionalProperties") is not False] == []
    assert {path: group["propertyNames"]["enum"] for path, group in closed.items()} == {
        path: list(group["properties"]) for path, group in closed.items()
    }
