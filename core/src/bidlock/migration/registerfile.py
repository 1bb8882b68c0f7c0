"""The register of `bidlock migrate`, in a file that survives crashes and admits one controller at a time."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bidlock.errors import ConfigurationError
from bidlock.migration.register import BucketRegister, Register
from bidlock.modes import MODES, Role

VERSION = 1


@dataclass(frozen=True, slots=True)
class Kept:
    """What the file keeps.

    Attributes:
        owner: Identity of this register; the owner in every store's meta.
        register: The register; None while it is not rebuilt or not begun.
        template: Mode in which bidders work.
    """

    owner: str
    register: Register | None
    template: str = "sqlite"


class RegisterFile:
    """One file. Written as a new file that replaces the old one after it has reached the disk; a crash leaves either."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._path

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only controller with this file, until the block ends or the process dies.

        Raises:
            ConfigurationError: another controller works with it, or its folder is not there.
        """
        try:
            descriptor = os.open(self._path.with_name(self._path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigurationError(
                f"the register's folder {self._path.parent} cannot be written: {error.strerror}; create it or choose another --register"
            ) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise ConfigurationError(f"another controller works with {self._path}; stop it, or wait until it has ended") from None
        finally:
            os.close(descriptor)

    def read(self) -> Kept | None:
        """What it keeps; None when there is no file.

        Raises:
            ConfigurationError: it is no register, or of another version.
        """
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"the register {self._path} cannot be read: {error}") from None
        try:
            return _loaded(json.loads(text))
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(
                f"{self._path} is no register ({error}); if it was damaged, move it away and run `bidlock migrate rebuild`: it is rebuilt from what the stores show"
            ) from None

    @property
    def mode_path(self) -> Path:
        """Where bidders read their mode (`BIDLOCK_MODE_FILE`)."""
        return self._path.with_suffix(".mode")

    def write(self, kept: Kept) -> None:
        """Replace it, and return when the disk has it."""
        _replace(self._path, json.dumps(_dumped(kept), indent=2))

    def write_mode(self, mode: str) -> None:
        """Tell the bidders their mode, unless they know it."""
        if not self.mode_path.exists() or self.mode_path.read_text(encoding="utf-8").strip() != mode:
            _replace(self.mode_path, mode)


def _replace(path: Path, text: str) -> None:
    """A reader sees the old text or the new one, whatever crashes."""
    new = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    with new.open("w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def new_owner() -> str:
    """An identity for a new register."""
    return f"register-{secrets.token_hex(8)}"


def _dumped(kept: Kept) -> dict[str, Any]:
    register = kept.register
    body = None if register is None else asdict(register) | {"authority": register.authority.value}
    return {"version": VERSION, "owner": kept.owner, "template": kept.template, "register": body}


def _loaded(data: dict[str, Any]) -> Kept:
    if data["version"] != VERSION:
        raise ValueError(f"its version is {data['version']}, this bidlock writes {VERSION}")
    body = data["register"]
    if body is None:
        return Kept(str(data["owner"]), None, str(data["template"]))
    buckets = tuple(BucketRegister(**bucket) for bucket in body.pop("buckets"))
    register = replace(Register(**body), buckets=buckets, authority=Role(body["authority"]))
    if not {register.source, register.to, data["template"]} <= set(MODES) or not buckets:
        raise ValueError("it names a mode that does not exist")
    return Kept(str(data["owner"]), register, str(data["template"]))
