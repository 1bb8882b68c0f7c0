"""The contracts in pyproject.toml, so that pytest alone tells the truth."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # `make arch` says the same sooner


def test_every_import_contract_is_kept(root, tmp_path):
    command = [Path(sys.executable).parent / "lint-imports", "--cache-dir", tmp_path]

    ended = subprocess.run(command, cwd=root, env=os.environ | {"COLUMNS": "200"}, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stdout
    assert ", 0 broken" in ended.stdout
