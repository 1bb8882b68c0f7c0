"""The reference pages say what the code says."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

import bidlock
from bidlock import events, settings
from bidlock.plugins import ALLOW_VARIABLE, LOAD_TIMEOUT_VARIABLE
from bidlock.settings import Settings, default_holder
from bidlock_operator.settings import Settings as OperatorSettings
from bidlock_operator.settings import variable as operator_variable
from bidlock_redis.options import KNOWN as REDIS_OPTIONS
from bidlock_sqlite.options import KNOWN as SQLITE_OPTIONS


def rows(page: Path, section: str = "") -> list[list[str]]:
    """Cells of the table rows whose first cell is code, below a heading if one is given."""
    text = page.read_text()
    if section:
        text = re.split(r"^#", text.partition(f"# {section}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    return [[cell.strip() for cell in line.strip("|\n").split("|")] for line in text.splitlines() if line.startswith("| `")]


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@pytest.fixture
def reference(root):
    return root / "docs" / "reference"


def shown(value: object) -> str:
    if value == "":
        return "empty"
    if value == default_holder():
        return "`host:pid`"
    return f"`{int(value) if isinstance(value, (bool, float)) else value}`"


def test_every_setting_is_documented_with_its_default(reference):
    documented = [row[:3] for row in rows(reference / "configuration.md", "Settings")]

    default = Settings()
    expected = [[f"`{settings.variable(f.name)}`", f"`{f.name}`", shown(getattr(default, f.name))] for f in dataclasses.fields(Settings)]
    expected[0][2] = "–"  # the URL has no default, and says so
    assert documented == expected


def test_every_variable_in_the_code_is_documented(root, reference):
    sources = [path for folder in ("core", "plugins") for path in (root / folder).rglob("src/**/*.py")]
    used = {name for path in sources for name in re.findall(r"\bBIDLOCK_[A-Z_]*[A-Z]\b", path.read_text())}

    assert used | {ALLOW_VARIABLE, LOAD_TIMEOUT_VARIABLE} <= set(
        re.findall(r"BIDLOCK_[A-Z_]*[A-Z]\b", (reference / "configuration.md").read_text())
    )


def test_every_option_of_a_redis_url_is_documented(reference):
    documented = {name for row in rows(reference / "configuration.md", "Options of a Redis URL") for name in code(row[0])}

    assert documented == {name for names in REDIS_OPTIONS.values() for name in names}


def test_every_option_of_a_sqlite_url_is_documented(reference):
    documented = {name for row in rows(reference / "configuration.md", "Options of a SQLite URL") for name in code(row[0])}

    assert documented == set(SQLITE_OPTIONS)


def test_every_skip_reason_is_documented_with_whether_to_try_again(reference):
    documented = {code(row[0])[0]: row[2] for row in rows(reference / "skip-reasons.md")}

    assert documented == {reason.value: "yes" if reason in bidlock.TRANSIENT else "no" for reason in bidlock.SkipReason}


def test_every_event_is_documented_with_its_fields(reference):
    documented = {code(row[0])[0]: set(code(row[2])) for row in rows(reference / "events.md")}

    common = {f.name for f in dataclasses.fields(events.Event)}
    expected = {kind.__name__: {f.name for f in dataclasses.fields(kind)} - common for kind in events.Event.__subclasses__()}
    assert documented == expected


def test_every_setting_of_the_operator_is_documented(root):
    documented = {code(row[0])[0] for row in rows(root / "operator" / "README.md") if code(row[0])[0].startswith("BIDLOCK")}

    assert documented == {operator_variable(f.name) for f in dataclasses.fields(OperatorSettings)}
