"""One number for everything that is released together."""

from __future__ import annotations

import tomllib

import bidlock


def test_every_member_has_the_workspaces_version(root, member):
    workspace = tomllib.loads((root / "pyproject.toml").read_text())["project"]

    assert member.project["version"] == workspace["version"]
    assert member.project["requires-python"] == workspace["requires-python"]


def test_the_imported_package_says_the_same_version(all_members):
    assert {member.project["version"] for member in all_members} == {bidlock.__version__}


def test_members_depend_on_each_other_within_the_minor_version(member):
    extras = member.project.get("optional-dependencies", {}).values()
    wanted = [*member.project.get("dependencies", ()), *(one for extra in extras for one in extra)]
    major, minor, _ = member.project["version"].split(".")
    bounds = f">={major}.{minor},<{major}.{int(minor) + 1}"

    ours = [one for one in wanted if one.startswith("bidlock") and "example" not in one]
    assert not [one for one in ours if not one.endswith(bounds)]


def test_the_workspace_depends_on_every_member(root, all_members):
    """Else `make setup` and the lock file would leave one out."""
    workspace = tomllib.loads((root / "pyproject.toml").read_text())

    assert set(workspace["tool"]["uv"]["sources"]) == {member.project["name"] for member in all_members}
    assert {one.partition("[")[0] for one in workspace["project"]["dependencies"]} == {member.project["name"] for member in all_members}
