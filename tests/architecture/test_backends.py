"""plugins/README.md says of each backend what it declares itself."""

from __future__ import annotations

import re

import pytest

from bidlock import plugins

REACH = {"process": "one process", "host": "processes of one host", "cluster": "machines"}
TOLD = {"notify": "yes", "poll": "no"}


@pytest.mark.parametrize("name", ["redis", "sqlite"])
def test_the_index_of_backends_is_true(root, name):
    (spec,) = [spec for spec in plugins.load({}).backends if spec.name == name]
    (row,) = [line for line in (root / "plugins" / "README.md").read_text().splitlines() if line.startswith(f"| [`{name}/`]")]
    _, distribution, schemes, reach, told = [cell.strip() for cell in row.strip("|").split("|")]

    assert distribution == f"`bidlock-{name}`"
    assert tuple(re.findall(r"`([^`]+)`", schemes)) == spec.schemes
    assert reach == REACH[spec.capabilities.scope]
    assert told == TOLD[spec.capabilities.wait]
