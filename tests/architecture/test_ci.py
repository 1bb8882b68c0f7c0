"""Continuous integration runs what the packages promise."""

from __future__ import annotations

import re


def test_every_promised_python_is_tested(root, member):
    promised = [one.rpartition(" :: ")[2] for one in member.project["classifiers"] if re.search(r"Python :: 3\.\d+$", one)]

    matrix = re.search(r"python: \[(.*)\]", (root / ".github/workflows/ci.yaml").read_text())[1]
    assert re.findall(r'"([\d.]+)"', matrix) == promised
