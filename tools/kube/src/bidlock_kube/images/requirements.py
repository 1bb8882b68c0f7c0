"""Which distributions an image needs: the closure over what is installed here, at the versions of `requirements.lock`.

The environment that is asked is this one, which `make setup` filled from the same lock; so the closure costs no network and no resolver.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def closure(roots: Iterable[str], python: str) -> frozenset[str]:
    """Names of everything that `roots` need on Linux under this Python (`3.11`), themselves included."""
    environment = _environment(python)
    found: set[tuple[str, frozenset[str]]] = set()
    waiting = [Requirement(root) for root in roots]
    while waiting:
        one = waiting.pop()
        if (key := (canonicalize_name(one.name), frozenset(one.extras))) not in found:
            found.add(key)
            waiting.extend(_needs(one, environment))
    return frozenset(name for name, _ in found)


def pins(lock: Path) -> Mapping[str, str]:
    """The lines of a lock file by distribution: version and hashes, without the marker."""
    entries = re.split(r"\n(?=\S)", lock.read_text())
    matches = (re.match(r"([A-Za-z0-9._-]+)==(\S+)", entry) for entry in entries)
    return {
        canonicalize_name(match[1]): f"{match[1]}=={match[2]} {' '.join(re.findall(r'--hash=[^ ]+[0-9a-f]', match.string))}"
        for match in matches
        if match
    }


def _needs(one: Requirement, environment: Mapping[str, str]) -> list[Requirement]:
    """What one distribution asks for; nothing when it is not installed here, as those for another Python are not."""
    try:
        asked = metadata.requires(one.name) or []
    except metadata.PackageNotFoundError:
        return []
    wanted = [Requirement(text) for text in asked]
    return [need for need in wanted if _applies(need, one.extras or {""}, environment)]


def _applies(need: Requirement, extras: Iterable[str], environment: Mapping[str, str]) -> bool:
    return need.marker is None or any(need.marker.evaluate({**environment, "extra": extra}) for extra in extras)


def _environment(python: str) -> Mapping[str, str]:
    """Linux, CPython, and the first patch release: it needs most."""
    here = {key: str(value) for key, value in default_environment().items()}
    return {
        **here,
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
