"""How a posting is written on the command line: `marketplace:id`."""

from __future__ import annotations

from typing import Annotated

import typer

from bidlock.postings import Posting, posting

Key = Annotated[str, typer.Argument(metavar="KEY", help="marketplace:posting, for example upwork:~01ab; split at the first colon")]


def parse(key: str) -> Posting:
    """Take `marketplace:id` apart at the first colon; the id may contain more of them.

    Raises:
        typer.BadParameter: there is no colon.
        InvalidPosting: one of the two is empty or too long.
    """
    marketplace, colon, posting_id = key.partition(":")
    if not colon:
        raise typer.BadParameter(f"{key!r} has no colon; write marketplace:posting, for example upwork:~01ab", param_hint="KEY")
    return posting(marketplace, posting_id)
