"""On which file systems a lock file can be trusted. SQLite's locks and shared memory reach one host only."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

NETWORK = {
    "nfs": "locks of NFS are not reliable",
    "nfs4": "locks of NFS are not reliable",
    "cifs": "SMB does not share memory between hosts",
    "smb3": "SMB does not share memory between hosts",
    "smbfs": "SMB does not share memory between hosts",
    "9p": "9p does not carry SQLite's locks",
    "afs": "AFS keeps locks per host",
    "ceph": "hosts of a Ceph file system share no memory",
    "lustre": "hosts of a Lustre file system share no memory",
    "gpfs": "hosts of a GPFS file system share no memory",
    "beegfs": "hosts of a BeeGFS file system share no memory",
    "ocfs2": "hosts of an OCFS2 file system share no memory",
    "gfs2": "hosts of a GFS2 file system share no memory",
    "ncpfs": "it is a network file system",
    "coda": "it is a network file system",
    "davfs": "WebDAV has no locks that SQLite knows",
    "fuse.sshfs": "sshfs keeps locks per host",
    "fuse.glusterfs": "hosts of a GlusterFS share no memory",
    "fuse.ceph": "hosts of a Ceph file system share no memory",
    "fuse.cephfs": "hosts of a Ceph file system share no memory",
    "fuse.s3fs": "an object store has no locks",
    "fuse.gcsfuse": "an object store has no locks",
    "fuse.goofys": "an object store has no locks",
    "fuse.rclone": "an object store has no locks",
    "fuse.juicefs": "hosts of a JuiceFS share no memory",
    "fuse.davfs": "WebDAV has no locks that SQLite knows",
    "fuse.smbnetfs": "SMB does not share memory between hosts",
    "fuse.curlftpfs": "FTP has no locks",
}
"""File systems that are refused, and why."""

_VOLATILE = {"tmpfs", "ramfs"}
_MOUNTS = Path("/proc/self/mounts")


def kind(directory: str, mounts: str) -> str:
    """Type of the file system a directory lies on.

    Args:
        directory: Absolute path, symbolic links followed.
        mounts: Text in the format of `/proc/self/mounts`.

    Returns:
        The type as the kernel names it, or an empty string when no line covers the directory.
    """
    path = PurePosixPath(directory)
    found, depth = "", -1
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        mount = PurePosixPath(_unescaped(fields[1]))
        # Of two mounts on one directory the later hides the earlier.
        if path.is_relative_to(mount) and len(mount.parts) >= depth:
            found, depth = fields[2], len(mount.parts)
    return found


def refusal(directory: str, mounts: str) -> str:
    """Why a lock file must not lie in this directory; empty when it may."""
    found = kind(directory, mounts)
    reason = NETWORK.get(found)
    if reason is None:
        return ""
    return f"{directory} lies on {found}, and {reason}; use a disk of this host, or Redis for more than one host"


def shared(file: Path, mounts: str) -> str:
    """Why a file has another place, too, from where locks on it do not meet ours; empty when it has none.

    SQLite keeps log and locks of a file beside the path that it was opened by (https://sqlite.org/howtocorrupt.html, 2.5).

    Args:
        file: Absolute path, symbolic links followed; it need not exist.
        mounts: Text in the format of `/proc/self/mounts`.
    """
    if str(file) in {_unescaped(fields[1]) for line in mounts.splitlines() if len(fields := line.split(" ")) > 1}:
        return f"{file} is mounted by itself, and its log and locks, which lie beside it, are not; mount the directory that it is in"
    links = file.stat().st_nlink if file.is_file() else 1
    return f"{file} has {links} names, and bots that use different ones do not see each other's locks; keep one" if links > 1 else ""


def warnings(directory: str, mounts: str) -> tuple[str, ...]:
    """What a human should know about this directory's file system."""
    found = kind(directory, mounts)
    if found in _VOLATILE:
        return (f"{directory} lies on {found}: every marker is lost on reboot, and postings may be bid on again; use a disk",)
    if found.startswith("fuse.") and found not in NETWORK:
        return (f"{directory} lies on {found}: make sure that it is a disk of this host",)
    return ()


def mount_table() -> str:
    """The mounts this process sees; empty where the kernel does not tell."""
    try:
        return os.fsdecode(_MOUNTS.read_bytes())
    except OSError:
        return ""


def _unescaped(field: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        field = field.replace(code, character)
    return field
