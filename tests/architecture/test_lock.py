"""requirements.lock: the same bytes everywhere, from wherever a machine fetches packages."""

from __future__ import annotations

import re

import pytest


@pytest.fixture
def requirements(root):
    text = (root / "requirements.lock").read_text().replace("\\\n", " ")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def test_every_requirement_is_pinned_to_a_version_with_hashes(requirements):
    pinned = re.compile(r"[A-Za-z0-9._\[\],-]+==\S+.*--hash=sha256:[0-9a-f]{64}")

    assert requirements
    assert not [one for one in requirements if not pinned.match(one)]


def test_no_requirement_names_a_host_or_a_folder(requirements):
    assert not [one for one in requirements if "://" in one or " @ " in one or one.startswith("-")]


def test_every_third_party_dependency_is_locked(requirements, all_members):
    def name(requirement):
        return re.split(r"[\s\[<>=!~;]", requirement, maxsplit=1)[0].lower().replace("_", "-")

    ours = {member.project["name"] for member in all_members}
    asked = {
        name(one)
        for member in all_members
        for one in (
            *member.project["dependencies"],
            *(one for extra in member.project.get("optional-dependencies", {}).values() for one in extra),
        )
    }

    assert asked - ours <= {name(one) for one in requirements}
