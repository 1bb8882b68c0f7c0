"""Options that several commands share, written once."""

from __future__ import annotations

from typing import Annotated

import typer

Url = Annotated[str | None, typer.Option("--url", metavar="URL", help="The store; else BIDLOCK_URL.")]
Policy = Annotated[str | None, typer.Option("--policy", metavar="ID", help="Owner of a managed store; else BIDLOCK_POLICY.")]
Prefix = Annotated[str | None, typer.Option("--prefix", metavar="TEXT", help="First part of every key; else BIDLOCK_PREFIX.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
