"""The rules as they are written: each says what to do, and each is tried on a real API server."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).parent
DEFINITION = FOLDER.parents[2] / "charts/bidlock/files/bidlockpolicies.yaml"


def walked(schema, path=""):
    """Every part of a schema, with its path."""
    yield path, schema
    for name, part in schema.get("properties", {}).items():
        yield from walked(part, f"{path}.{name}")
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            yield from walked(schema[name], f"{path}[]")


VERSION = yaml.load(DEFINITION.read_text(), yaml.CSafeLoader)["spec"]["versions"][0]
PARTS = dict(walked(VERSION["schema"]["openAPIV3Schema"]))
RULES = [rule for part in PARTS.values() for rule in part.get("x-kubernetes-validations", [])]
FREE = (".metadata", ".spec.bidder.template.spec.containers[]", ".spec.bidder.template.spec.containers[].env[]")
LEAVES = {path: part for path, part in PARTS.items() if path and not path.endswith("[]")}


@pytest.mark.parametrize("rule", RULES, ids=[rule["message"][:50] for rule in RULES])
def test_every_rule_is_refused_once_by_a_test_on_a_real_server(rule):
    """The tests name a part of the message that they expect."""
    expected = [
        line.split('"')[1::2] for name in ("spec", "changes", "register") for line in (FOLDER / f"test_{name}.py").read_text().splitlines()
    ]

    assert any(len(said) > 14 and said in rule["message"] for texts in expected for said in texts)


@pytest.mark.parametrize("path", [path for path in LEAVES if path not in FREE])
def test_every_field_is_described(path):
    if path == ".metadata":
        return
    assert LEAVES[path].get("description", "").endswith((".", ")")), path


@pytest.mark.parametrize("path", [path for path, part in PARTS.items() if part.get("type") in ("string", "array", "object", "integer")])
def test_every_field_is_bounded(path):
    part = PARTS[path]
    bound = {
        "string": {"maxLength", "enum", "format"},
        "array": {"maxItems"},
        "integer": {"maximum", "format", "minimum"},
        "object": {"properties", "maxProperties", "x-kubernetes-preserve-unknown-fields"},
    }[part["type"]]

    assert bound & set(part) or path in (".apiVersion", ".kind", ".metadata")


def test_columns_are_those_a_user_looks_for():
    columns = VERSION["additionalPrinterColumns"]

    assert [column["name"] for column in columns if not column.get("priority")] == [
        *("Desired", "Phase", "Mode", "Step", "Bidders", "Redis", "Ready", "Age"),
    ]
    assert [column["name"] for column in columns if column.get("priority")] == ["Authority", "Reason"]


def test_times_say_their_unit():
    timed = {path: part for path, part in LEAVES.items() if path.endswith("Seconds")}

    assert [path for path, part in timed.items() if "seconds" not in part["description"]] == []
