"""The helm commands of the pages: the chart takes the values that they give it."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from bidlock_kube.assets import Assets

pytestmark = pytest.mark.kube

ROOT = Path(__file__).parents[2]
COMMAND = re.compile(r"^ *\$ (helm (?:install|upgrade|template) [^\n|]+)", re.MULTILINE)
COMMANDS = [
    pytest.param(command, id=f"{page.stem}-{number}")
    for page in [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "charts/bidlock/README.md"]
    for number, command in enumerate(COMMAND.findall(page.read_text()))
]


@pytest.fixture(scope="module")
def helm() -> Path:
    return Assets.of("helm")["helm"]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_chart_takes_what_a_command_gives_it(command, helm):
    _, _, release, chart, *options = shlex.split(command)
    known = [option for option in options if option not in ("--reuse-values", "--reset-then-reuse-values", "--create-namespace")]

    made = subprocess.run([helm, "template", release, chart, *known], cwd=ROOT, capture_output=True, text=True, check=False)

    assert made.returncode == 0, made.stderr
    assert "kind: Deployment" in made.stdout
