"""`tools/soak` as a whole: a real fleet, real stores, real signals."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.servers]

TOOL = Path(__file__).parents[2] / "tools" / "soak"
LINE = re.compile(
    r"soak: bids (\d+), duplicates (\d+), overlaps (\d+), regressions (\d+), walks (\d+), faults (\d+), longest pause (\d+\.\d) s"
)


def command(*arguments):
    return [sys.executable, str(TOOL), *arguments]


def soak(folder, *arguments, **environment):
    """Exit code, what was printed, and the numbers of the verdict line."""
    done = subprocess.run(command(*arguments), env=os.environ | {"TMPDIR": str(folder)} | environment, capture_output=True, text=True)
    said = done.stdout + done.stderr
    line = LINE.fullmatch(done.stdout.splitlines()[-1])
    assert line, said
    names = ("bids", "duplicates", "overlaps", "regressions", "walks", "faults")
    return done.returncode, said, dict(zip(names, map(int, line.groups()), strict=False))


def running(folder):
    """Command lines that name this folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes())
        except OSError:
            continue
    return [line for line in found if bytes(folder) in line]


def test_a_fleet_that_walks_and_is_hurt_bids_on_nothing_twice(tmp_path, record_property):
    code, said, numbers = soak(tmp_path, "--seconds", "60", "--seed", "5")
    record_property("told", next(filter(LINE.fullmatch, said.splitlines())))

    assert code == 0, said
    assert (numbers["duplicates"], numbers["overlaps"], numbers["regressions"]) == (0, 0, 0)
    assert numbers["walks"] >= 1
    assert numbers["faults"] >= 3
    assert numbers["bids"] > 100
    assert not list(tmp_path.iterdir())


def test_the_checker_cries_when_the_controller_copies_no_markers(tmp_path):
    code, said, numbers = soak(tmp_path, "--seconds", "5", "--faults", "none", SOAK_WITHOUT="copy")

    assert code == 1
    assert numbers["duplicates"] > 0
    assert "duplicate: Bid(posting='soak:" in said
    assert str(next(tmp_path.iterdir())) in said


def test_the_checker_cries_when_no_mode_is_ever_refused(tmp_path):
    code, _, numbers = soak(tmp_path, "--seconds", "5", "--faults", "none", SOAK_WITHOUT="windows")

    assert code == 1
    assert numbers["duplicates"] > 0


def test_the_checker_cries_when_a_server_that_comes_back_is_taken_for_the_one_that_was_there(tmp_path):
    code, _, numbers = soak(tmp_path, "--seconds", "15", "--faults", "losses", SOAK_WITHOUT="incarnation")

    assert code == 1
    assert numbers["duplicates"] > 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_nothing_outlives_the_soak(tmp_path, number):
    process = subprocess.Popen(
        command("--seconds", "60"), env=os.environ | {"TMPDIR": str(tmp_path)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert b" bids, " in process.stdout.readline()
    assert len(running(tmp_path)) > 6

    process.send_signal(number)
    process.communicate()

    assert process.returncode == (-number if number is signal.SIGKILL else 130)
    while running(tmp_path):
        time.sleep(0.05)
