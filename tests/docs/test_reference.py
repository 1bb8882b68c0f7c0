"""Pages that are made from code are as the code makes them, and every reason has its page of the runbook."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bidlock_operator.reasons import HELP, RUNBOOK, Reason, explained

ROOT = Path(__file__).parents[2]
PAGES = sorted(path for path in (ROOT / RUNBOOK).glob("*.md") if path.name != "index.md")


@pytest.mark.slow
def test_the_pages_that_are_made_from_code_are_up_to_date():
    done = subprocess.run([ROOT / "tools" / "reference", "--check"], capture_output=True, text=True, check=False)

    assert done.returncode == 0, f"{done.stdout}{done.stderr}; run tools/reference"


def test_every_reason_that_may_need_a_human_has_a_page_and_no_page_is_left_over():
    assert [page.stem for page in PAGES] == sorted(reason.value for reason in HELP)


@pytest.mark.parametrize("reason", HELP)
def test_the_message_of_a_condition_ends_with_its_page(reason: Reason):
    page = explained(reason, "something is so").rpartition(" ")[2]

    assert (ROOT / page).is_file()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_says_what_it_means_what_is_safe_where_to_look_and_what_to_do(page: Path):
    text = page.read_text()

    places = [text.index(part) for part in (f"# {page.stem}\n", "**What it means.**", "**What is safe.**", "## Look", "$ kubectl", "## Do")]
    assert places == sorted(places)
