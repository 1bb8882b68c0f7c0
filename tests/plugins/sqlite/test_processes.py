"""Several processes, real signals: exclusion, wake-up, death and fork."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"


def test_many_contenders_in_three_processes_are_never_inside_together(path, tmp_path) -> None:
    program = [sys.executable, PROGRAMS / "contender.py", path, tmp_path / "inside", "20", "3"]
    processes = [subprocess.Popen(program) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT ctr FROM bidlock_meta").fetchone() == (180,)
        assert connection.execute("SELECT count(*) FROM distributed_locks").fetchone() == (0,)


def test_what_was_acknowledged_survives_a_kill_in_the_middle_of_batches(path) -> None:
    process = subprocess.Popen([sys.executable, PROGRAMS / "claimer.py", path], stdout=subprocess.PIPE, text=True)
    acknowledged = [process.stdout.readline() for _ in range(300)]
    process.kill()
    acknowledged += process.stdout.readlines()
    process.wait()
    process.stdout.close()
    complete = {f"upwork:{line.strip()}" for line in acknowledged if line.endswith("\n")}
    with closing(sqlite3.connect(path)) as connection:
        kept = {key for (key,) in connection.execute("SELECT key FROM bidlock_marker")}
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert complete <= kept


def test_parent_and_child_go_on_after_a_fork_in_the_middle_of_batches(path) -> None:
    done = subprocess.run([sys.executable, PROGRAMS / "forking.py", path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    with closing(sqlite3.connect(path)) as connection:
        (markers,) = connection.execute("SELECT count(*) FROM bidlock_marker").fetchone()
        tokens = [token for (token,) in connection.execute("SELECT token FROM bidlock_marker")]
    assert markers == 2 * 10 * 20
    assert len(set(tokens)) == markers
