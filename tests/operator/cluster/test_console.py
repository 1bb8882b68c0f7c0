"""What the page about looking at a fleet shows is what kubectl shows of a real policy under a running operator.

`BIDLOCK_RENEW=1` writes the output into the page.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
from pathlib import Path

import pytest
from simulation.world import NAMESPACES, RUN

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/how-to/look-at-a-fleet.md"
BLOCK = re.compile(r"^```console\n(.*?)^```\n", re.MULTILINE | re.DOTALL)


def commands(block: str) -> list[str]:
    """The commands of a block."""
    return [line[2:] for line in block.splitlines() if line.startswith("$ ")]


def outputs(block: str) -> list[str]:
    """What stands behind each command of a block."""
    return [part.partition("\n")[2] for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]


def comparable(text: str) -> list[str]:
    """The lines without what differs from run to run: times, numbers, names that nobody chose, and blanks."""
    lines = text.partition("\nEvents:")[0].splitlines()
    for pattern, shown in (
        (r"\b([0-9a-f]{32}|[0-9a-f]{40})\b", "ID"),
        (r"\d{4}-\d\d-\d\dT[\d:]+Z", "TIME"),
        (r"\b(\d+[dhms])+\b", "AGE"),
        (r"\d+", "N"),
        (r"\s+", " "),
    ):
        lines = [re.sub(pattern, shown, line) for line in lines]
    return lines


def events(text: str) -> set[str]:
    """The reasons of the events that a description lists. Whether something was awaited long enough to be told is left to the machine."""
    listed = text.partition("\nEvents:")[2].splitlines()[3:]
    return {line.split()[1] for line in listed if line.strip() and line.split()[0] == "Normal"}


@pytest.fixture
def shell(operated, defined, namespace, tmp_path):
    """A reader's shell: kubectl, a namespace, the examples."""
    NAMESPACES.add(namespace)
    config = tmp_path / "kubeconfig"
    config.write_bytes(defined.kubeconfig.read_bytes())
    defined.kubectl("config", "set-context", "--current", f"--namespace={namespace}", kubeconfig=config)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/kubectl").symlink_to(defined.binary)
    environment = os.environ | {"KUBECONFIG": str(config), "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "HOME": str(tmp_path)}

    async def run(command: str) -> str:
        done = await asyncio.to_thread(
            subprocess.run,
            ["bash", "-o", "pipefail", "-c", command],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=330,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        if command.startswith("kubectl apply"):  # the operator under test sees the policies of this process
            label = ",".join(f"{name}={value}" for name, value in RUN.items())
            defined.kubectl("label", "blp/arbitrage", label, "-n", namespace)
        return re.sub(r" +$", "", done.stdout.replace(namespace, "bots"), flags=re.MULTILINE)

    return run


@pytest.mark.slow
async def test_the_page_shows_what_kubectl_shows(shell):
    page = PAGE.read_text()
    renewed = page
    for block in BLOCK.findall(page):
        said = [await shell(command) for command in commands(block)]
        made = "".join(f"$ {command}\n{text}" for command, text in zip(commands(block), said, strict=True))
        if os.environ.get("BIDLOCK_RENEW"):
            renewed = renewed.replace(block, made)
            continue
        for command, expected, text in zip(commands(block), outputs(block), said, strict=True):
            assert comparable(text) == comparable(expected), command
            assert events(text) == events(expected), command
    PAGE.write_text(renewed)
