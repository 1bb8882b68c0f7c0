"""A file system of Debian packages, unpacked without running any of their scripts: no root of the system is touched."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from bidlock_kube import places
from bidlock_kube.images import wheels
from bidlock_kube.images.running import run

RELEASE = "bookworm"
_HOOKS = Path("/usr/share/mmdebstrap/hooks/merged-usr")
_SURPLUS = ("doc", "man", "locale", "lintian", "info", "perl5", "bug", "pixmaps")
_USERS = "root:x:0:0:root:/root:/bin/sh\nbidlock:x:10001:10001:bidlock:/tmp:/bin/sh\n"
_GROUPS = "root:x:0:\nbidlock:x:10001:\n"
_FORM = "5"  # of what is done below; a change makes new file systems


def rootfs(packages: Iterable[str]) -> Path:
    """A tar file of the packages and all that they depend on; made once per list.

    Raises:
        KubeError: mmdebstrap failed.
    """
    wanted = ",".join(sorted(packages))
    place = places.cache() / "images" / "rootfs" / f"{wheels.digest(f'{_FORM} {RELEASE} {wanted}')}.tar"
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix="making.") as scratch:
            root, whole = Path(scratch) / "root", Path(scratch) / "whole.tar"
            run(["mmdebstrap", "--quiet", "--variant=extract", f"--hook-dir={_HOOKS}", f"--include={wanted}", RELEASE, root])
            _finish(root)
            _pack(root, whole)
            whole.rename(place)
    return place


def _finish(root: Path) -> None:
    """What the packages' scripts would have done, as far as a container needs it; less what nobody reads there."""
    for name in _SURPLUS:
        shutil.rmtree(root / "usr/share" / name, ignore_errors=True)
    shutil.rmtree(root / "var/lib/dpkg", ignore_errors=True)
    shutil.rmtree(root / "dev")
    (root / "dev").mkdir()
    (root / "etc/passwd").write_text(_USERS)
    (root / "etc/group").write_text(_GROUPS)
    (root / "etc/nsswitch.conf").write_text("hosts: files dns\n")
    _certificates(root)
    _commands(root)
    if (root / "usr/bin/python3.11").exists():
        (root / "usr/bin/python3").symlink_to("python3.11")
        run(["chroot", root, "python3", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "/usr/lib/python3.11"])


def _certificates(root: Path) -> None:
    bundle = root / "etc/ssl/certs/ca-certificates.crt"
    bundle.parent.mkdir(parents=True, exist_ok=True)
    bundle.write_bytes(b"".join(file.read_bytes() for file in sorted((root / "usr/share/ca-certificates").rglob("*.crt"))))


def _commands(root: Path) -> None:
    """Busybox under the name of each command that no package brought."""
    for command in run(["chroot", root, "/bin/busybox", "--list"]).split():
        if not any(os.path.lexists(root / folder / command) for folder in ("usr/bin", "usr/sbin")):
            (root / "usr/bin" / command).symlink_to("busybox")


def _pack(root: Path, file: Path) -> None:
    """The same bytes for the same content."""
    run(["tar", "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0", "-C", root, "-cf", file, "."])
