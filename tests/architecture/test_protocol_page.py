"""docs/explanation/protocol.md says what the code says: every mode, rule, action, verdict and reason, in the code's order."""

from __future__ import annotations

import inspect
import re
import typing

import pytest

from bidlock.backend import Verdict
from bidlock.migration import actions, deciding, rebuilding
from bidlock.migration.port import Outcome
from bidlock.modes import MODES, Role

NOTHING = "–"


def rows(text: str) -> list[list[str]]:
    """Cells of the table rows whose first cell is code."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| `")]


def code(text: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", text)


def in_order(words: list[str], text: str) -> list[str]:
    """The words as they first stand in the text; one that is missing is left out."""
    places = {word: re.search(rf"\b{word}\b", text) for word in words}
    return sorted((word for word in words if places[word]), key=lambda word: places[word].start())


def names(rules: tuple[deciding.Rule, ...]) -> list[str]:
    return [rule.__name__ for rule in rules]


@pytest.fixture(scope="module")
def sections(root):
    """Text below each heading of the second level."""
    _, *parts = re.split(r"^## (.+)\n", (root / "docs" / "explanation" / "protocol.md").read_text(), flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def diagram(section: str, kind: str) -> str:
    return next(text for text in re.findall(r"```mermaid\n(.*?)```", section, re.DOTALL) if text.startswith(kind))


def test_the_modes_are_those_of_the_code_in_every_column(sections):
    def cell(roles: tuple[Role, ...]) -> str:
        return ", ".join(role.value for role in roles) or NOTHING

    expected = [
        [f"`{mode.name}`", *map(cell, (mode.required, mode.best_effort, mode.confirms, mode.claims, mode.marks))] for mode in MODES.values()
    ]
    assert rows(sections["Five modes"]) == expected


def test_modes_overlap_if_both_require_a_common_store(sections):
    def cell(first: str, second: str) -> str:
        return "yes" if set(MODES[first].required) & set(MODES[second].required) else "no"

    expected = [[f"`{first}`", *(cell(first, second) for second in MODES)] for first in MODES]
    assert rows(sections["Which modes may overlap"]) == expected


def test_every_verdict_is_explained(sections):
    assert [code(row[0])[0] for row in rows(sections["The guard"])] == [verdict.value for verdict in Verdict]


@pytest.mark.parametrize(("section", "rules"), [("What the controller decides", deciding.RULES), ("The flip", deciding.FLIP)])
def test_the_rules_are_listed_in_the_order_in_which_they_are_asked(sections, section, rules):
    listed = [code(row[0])[0] for row in rows(sections[section])]

    assert listed[: len(rules)] == names(rules)


@pytest.mark.parametrize(
    ("section", "kind", "rules"),
    [("What the controller decides", "flowchart", deciding.RULES), ("The flip", "stateDiagram", deciding.FLIP)],
)
def test_the_chart_asks_the_rules_in_that_order_too(sections, section, kind, rules):
    assert in_order(names(rules), diagram(sections[section], kind)) == names(rules)


@pytest.mark.parametrize(
    ("written", "classes"),
    [
        ("register", typing.get_args(actions.RegisterWrite)),
        ("store", typing.get_args(actions.StoreWrite)),
        ("fleet", (actions.Roll,)),
        ("none", typing.get_args(actions.Rest)),
    ],
)
def test_every_action_is_listed_with_the_object_it_writes(sections, written, classes):
    row = re.search(rf"^\| {written} \|(.+)\|$", sections["What the controller decides"], re.MULTILINE)[1]

    assert code(row) == [action.__name__ for action in classes]


def test_the_list_of_actions_has_them_all():
    grouped = (*typing.get_args(actions.RegisterWrite), *typing.get_args(actions.StoreWrite), actions.Roll, *typing.get_args(actions.Rest))
    written = [value for value in vars(actions).values() if inspect.isclass(value) and value.__module__ == actions.__name__]

    assert set(grouped) == set(written) == set(typing.get_args(actions.Action))


def test_every_answer_to_a_controller_is_named(sections):
    assert [word for word in code(sections["What the controller decides"]) if word.isupper() and word in set(Outcome)] == list(Outcome)


def test_every_reason_to_wait_refuse_or_halt_is_listed(sections):
    sources = inspect.getsource(deciding) + inspect.getsource(rebuilding)
    given = set(re.findall(r'"([A-Z][a-z]*(?:[A-Z]+[a-z]+)+|Draining|Rollout|Sealed)"', sources))
    listed = [code(row[0])[0] for row in rows(sections["What the controller decides"])][len(deciding.RULES) :]

    assert set(listed) == given
    assert len(listed) == len(given)


def test_every_section_leads_to_the_code(sections):
    lost = [title for title, text in sections.items() if not re.search(r"\]\(\.\./\.\./(core|plugins)/", text)]

    assert not lost


def test_every_function_that_is_named_beside_a_file_is_in_it(root, sections):
    """As in: `admit` in [`deciding.py`](…)."""
    text = "\n".join(sections.values())
    missing = []
    for words, path in re.findall(r"((?:`\w+`(?:,| and)? )+)in\s+\[`[^`]+`\]\(\.\./\.\./([^)]+)\)", text):
        missing += [f"{word} in {path}" for word in code(words) if not re.search(rf"\b{word}\b", (root / path).read_text())]

    assert not missing
