"""The site as `make docs` builds it: nothing leads nowhere, nothing comes from elsewhere, every diagram can be drawn."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import mermaidx
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
DIAGRAM = re.compile(r"^```mermaid\n(.*?)^```", re.MULTILINE | re.DOTALL)
DRAWN = [(page, number) for page in sorted((ROOT / "docs").rglob("*.md")) for number, _ in enumerate(DIAGRAM.findall(page.read_text()))]
LOADED = re.compile(
    r"""<(?:script|img|iframe)[^>]*\ssrc=["'](?:https?:)?//[^"']*|<link[^>]*rel="stylesheet"[^>]*href=["'](?:https?:)?//[^"']*"""
)


def build(into: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).parent / "mkdocs", "build", "--strict", "--site-dir", into, *options]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The built site; a warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    built = build(folder)
    assert built.returncode == 0, built.stderr
    return folder


def built(page: Path) -> str:
    """Where the site has a page."""
    place = page.relative_to(ROOT / "docs").with_suffix("")
    return str((place.parent if place.name == "index" else place) / "index.html")


def test_every_page_is_built(site):
    assert not [page for page in (ROOT / "docs").rglob("*.md") if not (site / built(page)).is_file()]


def test_no_page_loads_anything_from_elsewhere(site):
    found = {match for page in site.rglob("*.html") for match in LOADED.findall(page.read_text())}

    assert not found


def test_the_site_brings_mermaid_along(site):
    assert 'src="../../assets/javascripts/mermaid.js"' in (site / "explanation" / "protocol" / "index.html").read_text()
    assert (site / "assets" / "javascripts" / "mermaid.js").stat().st_size > 1_000_000


def test_a_link_to_the_code_leads_to_the_code(site):
    page = (site / "explanation" / "protocol" / "index.html").read_text()

    assert 'href="../../repository/core/src/bidlock/modes.py/"' in page
    assert "best_effort" in (site / "repository" / "core" / "src" / "bidlock" / "modes.py" / "index.html").read_text()


@pytest.mark.parametrize(("page", "number"), DRAWN, ids=lambda value: value.stem if isinstance(value, Path) else str(value))
def test_every_diagram_can_be_drawn(page, number):
    drawn = mermaidx.render(DIAGRAM.findall(page.read_text())[number]).svg()

    assert drawn.startswith("<svg")
