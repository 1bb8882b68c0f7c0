"""The secret that an agent and its clients share."""

from __future__ import annotations

from pathlib import Path

from bidlock.errors import ConfigurationError

VARIABLE = "BIDLOCK_AGENT_TOKEN"
SHORTEST = 16
"""Characters; what is shorter can be guessed."""


def from_file(file: Path | str) -> str:
    """The token in a file, without the blanks around it.

    Raises:
        ConfigurationError: the file cannot be read, or holds no usable token; never shows it.
    """
    try:
        token = Path(file).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not plain text"
        raise ConfigurationError(f"the token file {file} cannot be read: {reason}") from None
    if len(token) < SHORTEST or not token.isprintable() or " " in token:
        raise ConfigurationError(
            f"the token file {file} must hold one word of at least {SHORTEST} characters; make one with: openssl rand -hex 32 > {file}"
        )
    return token
