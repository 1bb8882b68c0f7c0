"""Programs are built once, whoever asks, and never half."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from bidlock_kube import building, locking
from bidlock_kube.errors import KubeError

pytestmark = pytest.mark.slow  # a compiler runs

BUILDER = """
import sys
from pathlib import Path
from bidlock_kube import building
from bidlock_kube.programs import Module, Program

module = Module("tiny", "tiny.invalid/upstream", ("main.version={version}",), Path(sys.argv[1]))
building.build([Program("tiny", module, "tiny.invalid/upstream/cmd/tiny")], say=print)
"""


@pytest.fixture
def said() -> list[str]:
    """What a human was told."""
    return []


def start_builder(program) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", BUILDER, program.module.home], stdout=subprocess.PIPE, text=True)


def test_a_built_program_says_the_version_that_is_pinned(cache, tiny, said):
    building.build([tiny], say=said.append)

    ran = subprocess.run([building.find(tiny)], capture_output=True, text=True, check=True)
    assert ran.stderr == "v1.2.3\n"
    assert said[0] == "building tiny v1.2.3 …"


def test_what_is_built_is_not_built_again(cache, tiny, said):
    building.build([tiny], say=said.append)
    before = building.find(tiny).stat()
    said.clear()

    building.build([tiny], say=said.append)

    assert building.find(tiny).stat() == before
    assert not said


def test_a_changed_pin_is_built_beside_the_old_one(cache, tiny, said):
    building.build([tiny], say=said.append)
    old = building.find(tiny)
    (tiny.module.folder / "go.mod").write_text((tiny.module.folder / "go.mod").read_text().replace("v1.2.3", "v1.3.0"))

    building.build([tiny], say=said.append)

    assert old.exists()
    assert building.find(tiny) != old
    assert subprocess.run([building.find(tiny)], capture_output=True, text=True, check=True).stderr == "v1.3.0\n"


def test_a_second_builder_waits_and_says_so(cache, tiny, said, until):
    builder = threading.Thread(target=building.build, args=([tiny],), kwargs={"say": said.append})

    with locking.held(cache / "staging" / "tiny.lock", waiting_for="being the first", say=said.append):
        builder.start()
        until(lambda: said)
    builder.join()

    assert said[0].startswith("another process is building tiny; waiting for it")
    assert building.find(tiny).exists()


def test_two_builders_at_once_build_once(cache, tiny):
    builders = [start_builder(tiny) for _ in range(2)]
    told = [builder.communicate(timeout=120)[0] for builder in builders]

    assert [builder.returncode for builder in builders] == [0, 0]
    assert "".join(told).count("building tiny v1.2.3: done") == 1


def test_a_killed_build_is_never_used_and_leaves_nothing_behind(cache, tiny, said, until):
    (cache / "go").unlink()  # no shared results: the compiler has enough to do to be caught at it
    builder = start_builder(tiny)
    until(lambda: compiling(psutil.Process(builder.pid)))
    children = psutil.Process(builder.pid).children(recursive=True)

    builder.send_signal(signal.SIGKILL)
    builder.communicate()

    psutil.wait_procs(children, timeout=30)
    assert not [child for child in children if child.is_running()]
    assert not list((cache / "staging").glob("tiny.*.part/*"))
    assert not building.find(tiny).exists()


def compiling(builder: psutil.Process) -> bool:
    """Whether a compiler runs at this moment; compilers come and go."""
    for child in builder.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if child.name() == "compile":
                return True
    return False


def test_what_a_killed_build_left_is_removed_by_the_next(cache, tiny, said):
    left = cache / "staging" / "tiny.killed.part"
    left.mkdir(parents=True)
    (left / "tiny").write_text("half a program")

    building.build([tiny], say=said.append)

    assert not list((cache / "staging").glob("*.part"))
    assert subprocess.run([building.find(tiny)], check=False).returncode == 0


def test_a_failed_build_ends_with_the_compilers_words(cache, tiny, said):
    (tiny.module.folder / "upstream" / "cmd" / "tiny" / "main.go").write_text("package main\n\nfunc main() { nonsense() }\n")

    with pytest.raises(KubeError, match=r"go build of tiny failed; .*\n(.*\n)*.*undefined: nonsense"):
        building.build([tiny], say=said.append)

    assert not building.find(tiny).exists()


def test_a_full_disk_is_said_before_an_hour_is_lost(cache, tiny, said, monkeypatch):
    monkeypatch.setattr(building, "NEEDED_BYTES", 2**60)

    with pytest.raises(KubeError, match="free some, or set XDG_CACHE_HOME"):
        building.build([tiny], say=said.append)


def test_nothing_of_the_machines_go_settings_changes_what_is_built(cache, tiny, said, monkeypatch):
    monkeypatch.setenv("GOFLAGS", "-mod=vendor")
    monkeypatch.setenv("GOOS", "plan9")

    building.build([tiny], say=said.append)

    assert os.access(building.find(tiny), os.X_OK)
    assert subprocess.run([building.find(tiny)], check=False).returncode == 0


def test_the_folder_of_a_program_names_it_and_its_version(tiny):
    assert Path(building.find(tiny)).parent.name.startswith("tiny-v1.2.3-")
