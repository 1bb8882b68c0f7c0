"""From a role to an image: built when its content is new, found when it is not."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from bidlock_kube import locking, places
from bidlock_kube.errors import KubeError
from bidlock_kube.images import buildah, contexts, layouts
from bidlock_kube.images.catalogue import CATALOGUE, PYTHON_BASE, Base
from bidlock_kube.locking import Say

PREFIX = "localhost/bidlock-"


def make(roles: Iterable[str], *, say: Say) -> Mapping[str, str]:
    """Have these images in the layout and return their names by role. A name's tag is its content.

    Raises:
        KubeError: an image is unknown or cannot be built.
    """
    wanted = list(dict.fromkeys(roles))
    if unknown := [role for role in wanted if role not in CATALOGUE]:
        raise KubeError(f"no image {', '.join(unknown)}; there are {', '.join(CATALOGUE)}")
    with locking.held(places.cache() / "images" / "lock", waiting_for="building images", say=say):
        buildah.forget_when_large()
        return {role: _make(role, say) for role in wanted}


def _make(role: str, say: Say) -> str:
    recipe = CATALOGUE[role]
    base = "" if isinstance(recipe, Base) else _make(PYTHON_BASE, say)
    files = contexts.collect(recipe)
    name = f"{PREFIX}{role}:{contexts.key(recipe, files, base)}"
    if not layouts.holds(name) or (role == PYTHON_BASE and not buildah.knows(name)):
        began = time.monotonic()
        _build(role, files, name, base)
        say(f"image {role} built in {time.monotonic() - began:.1f} s")
    return name


def _build(role: str, files: Mapping[str, Path], name: str, base: str) -> None:
    with tempfile.TemporaryDirectory(dir=places.cache() / "images", prefix="context.") as scratch:
        context = Path(scratch)
        contexts.lay(files, context)
        buildah.build(CATALOGUE[role].dockerfile, context, name, {"BASE": base} if base else {})
    buildah.push(name, f"oci:{layouts.folder()}:{name}")
    layouts.uncompress(name)
