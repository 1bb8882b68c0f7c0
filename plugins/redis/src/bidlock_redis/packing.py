"""Commands as bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import hiredis

Words = tuple[str | bytes | int, ...]
"""A command: its name and arguments; text goes out as UTF-8."""

pack = cast("Callable[[Words], bytes]", hiredis.pack_command)  # its stub knows tuples of one word only
