"""docs/guarantees.md names tests that exist."""

from __future__ import annotations

import re

import pytest

NAMED = re.compile(r"`((?:kit/|tests/)[\w/.]+)::(test_\w+)`")
KIT = "core/src/bidlock/testing/suite"


@pytest.fixture
def page(root):
    return (root / "docs" / "guarantees.md").read_text()


def test_every_named_test_exists(root, page):
    missing = []
    for place, name in NAMED.findall(page):
        file = root / (f"{KIT}/{place.removeprefix('kit/')}.py" if place.startswith("kit/") else place)
        if not (file.is_file() and re.search(rf"^(async )?def {name}\(", file.read_text(), re.MULTILINE)):
            missing.append(f"{place}::{name}")

    assert NAMED.search(page)
    assert not missing


def test_every_failure_names_a_test(page):
    rows = [line.strip("|").split("|") for line in page.splitlines() if line.startswith("| ") and not line.startswith("| failure")]

    assert not [row[0].strip() for row in rows if not NAMED.search(row[-1])]
