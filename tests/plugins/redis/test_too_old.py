"""What a server says that is older than bidlock can use: a real one, out of a wheel for another Python."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bidlock.errors import ConfigurationError

pytestmark = pytest.mark.servers

REMEDY = "is redis 6.0.9; bidlock needs Redis 6.2 or Valkey, so upgrade it"


async def test_a_server_that_is_too_old_is_refused_with_the_remedy(opened, too_old):
    with pytest.raises(ConfigurationError, match=REMEDY):
        await opened(too_old.url)


def test_the_doctor_says_that_a_server_is_too_old(too_old):
    command = [Path(sys.executable).with_name("bidlock"), "doctor", "--json"]
    said = subprocess.run(command, env={**os.environ, "BIDLOCK_URL": too_old.url}, capture_output=True, text=True, check=False)

    assert said.returncode != 0
    assert REMEDY in json.dumps(json.loads(said.stdout))
