"""Which file systems a lock file may lie on."""

from __future__ import annotations

from pathlib import Path

import pytest

from bidlock_sqlite import filesystems

MOUNTS = r"""
overlay / overlay rw,relatime 0 0
/dev/sda1 /data ext4 rw 0 0
server:/x /data/shared nfs4 rw 0 0
//server/x /mnt/win cifs rw 0 0
host:/x /mnt/with\040space fuse.sshfs rw 0 0
tmpfs /run tmpfs rw 0 0
/dev/sdb1 /mnt/twice nfs rw 0 0
/dev/sdb1 /mnt/twice xfs rw 0 0
drive /mnt/drive fuse.unheard rw 0 0
broken line
"""


@pytest.mark.parametrize(
    ("directory", "expected"),
    [
        ("/srv/bot", "overlay"),
        ("/data", "ext4"),
        ("/data/sharedness", "ext4"),
        ("/data/shared", "nfs4"),
        ("/data/shared/deep/er", "nfs4"),
        ("/mnt/with space", "fuse.sshfs"),
        ("/mnt/twice/x", "xfs"),
        ("/run/x", "tmpfs"),
    ],
)
def test_the_deepest_and_latest_mount_decides(directory, expected) -> None:
    assert filesystems.kind(directory, MOUNTS) == expected


@pytest.mark.parametrize("directory", ["/data/shared/bids", "/mnt/win", "/mnt/with space"])
def test_a_network_file_system_is_refused_with_the_remedy(directory) -> None:
    assert "use a disk of this host, or Redis" in filesystems.refusal(directory, MOUNTS)


@pytest.mark.parametrize("kind", sorted(filesystems.NETWORK))
def test_every_listed_network_file_system_is_refused(kind) -> None:
    assert kind in filesystems.refusal("/x", f"server:/x /x {kind} rw 0 0")


@pytest.mark.parametrize("directory", ["/srv/bot", "/data/x", "/run/x", "/mnt/drive", "/mnt/twice"])
def test_a_file_system_of_this_host_is_taken(directory) -> None:
    assert not filesystems.refusal(directory, MOUNTS)


def test_a_file_system_that_forgets_or_is_unknown_warns() -> None:
    assert "lost on reboot" in filesystems.warnings("/run/x", MOUNTS)[0]
    assert "disk of this host" in filesystems.warnings("/mnt/drive", MOUNTS)[0]
    assert not filesystems.warnings("/data", MOUNTS)


def test_a_kernel_that_does_not_tell_is_trusted() -> None:
    assert not filesystems.refusal("/data", "")


def test_a_file_that_is_mounted_by_itself_is_refused() -> None:
    mounted = "/dev/sda1 /data/bids\\040old.db ext4 rw 0 0"

    assert "mount the directory" in filesystems.shared(Path("/data/bids old.db"), MOUNTS + mounted)
    assert not filesystems.shared(Path("/data/bids.db"), MOUNTS + mounted)
