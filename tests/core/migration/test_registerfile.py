import json
import signal
import subprocess
import sys

import pytest

from bidlock import ConfigurationError
from bidlock.migration import BucketRegister, Register
from bidlock.migration.registerfile import Kept, RegisterFile
from bidlock.modes import Role

HOLD = """
import pathlib, sys, time
from bidlock.migration.registerfile import RegisterFile
with RegisterFile(pathlib.Path(sys.argv[1])).locked():
    print("in", flush=True)
    time.sleep(60)
"""
KEPT = Kept("register-1", Register(7, "dual", "strict", Role.ORIGIN, "d0", (BucketRegister("n", 2, 99, "s"),), 5, recovering=True), "dual")


def test_what_was_written_is_read(file):
    file.write(KEPT)

    assert file.read() == KEPT


def test_no_file_is_no_register(file):
    assert file.read() is None


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"version": 1}', '{"version": 9, "owner": "x", "template": "dual", "register": null}', "\udcff"],
)
def test_a_damaged_file_is_refused_with_the_way_out(file, text):
    file.path.write_bytes(text.encode(errors="surrogateescape"))

    with pytest.raises(ConfigurationError, match=r"rebuilt from what the stores show|cannot be read"):
        file.read()


def test_a_mode_that_does_not_exist_is_refused(file):
    file.write(KEPT)
    data = json.loads(file.path.read_text())
    data["register"]["to"] = "both"
    file.path.write_text(json.dumps(data))

    with pytest.raises(ConfigurationError, match="a mode that does not exist"):
        file.read()


def test_a_second_controller_is_refused(file):
    with file.locked(), pytest.raises(ConfigurationError, match="another controller works with"), file.locked():
        pass


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be written"), RegisterFile(tmp_path / "no" / "r.json").locked():
        pass


def test_a_killed_controller_leaves_the_lock_free(file):
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            HOLD,
            str(file.path),
        ],
        stdout=subprocess.PIPE,
    )
    assert holder.stdout.readline() == b"in\n"
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdout.close()

    with file.locked():
        pass


def test_the_mode_file_changes_only_with_the_mode(file):
    file.write_mode("dual")
    before = file.mode_path.stat().st_mtime_ns
    file.write_mode("dual")
    assert file.mode_path.stat().st_mtime_ns == before

    file.write_mode("strict")
    assert file.mode_path.read_text() == "strict\n"
