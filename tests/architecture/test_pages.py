"""Every Markdown page: its code compiles, its links lead somewhere."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def blocks(page: Path, language: str) -> list[str]:
    return [textwrap.dedent(text) for _, name, text in FENCE.findall(page.read_text()) if name == language]


def anchors(page: Path) -> set[str]:
    """As GitHub derives them from headings."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_python_block_compiles(root, pages):
    broken = []
    for page in pages:
        for code in blocks(page, "python"):
            try:
                compile(code, str(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
            except SyntaxError as error:
                broken.append(f"{page.relative_to(root)}: {error}: {error.text}")

    assert not broken


def test_every_relative_link_leads_to_a_file_and_a_heading(root, pages):
    broken = []
    for page in pages:
        for link in LINK.findall(FENCE.sub("", page.read_text())):
            target, _, anchor = link.partition("#")
            if "://" in link or link.startswith("mailto:"):
                continue
            path = (page.parent / target).resolve() if target else page
            if not path.exists() or (anchor and path.suffix == ".md" and anchor not in anchors(path)):
                broken.append(f"{page.relative_to(root)}: {link}")

    assert not broken


@pytest.fixture
def example(root):
    return next(code for code in blocks(root / "README.md", "python") if "asyncio.run" in code)


def test_the_readmes_example_bids_once_however_often_it_runs(example, tmp_path):
    def run():
        return subprocess.run([sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    assert run().splitlines()[-1].startswith("placed")
    assert run().splitlines()[-1] == "skipped: already_bid"


def test_the_readmes_example_is_short(example):
    assert len(example.strip().splitlines()) <= 20
