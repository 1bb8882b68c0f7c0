"""Options that several commands share, written once."""

from __future__ import annotations

from typing import Annotated

import typer

Url = Annotated[str | None, typer.Option("--url", metavar="URL", help="The store; else BIDLOCK_URL.")]
Policy = Annotated[str | None, typer.Option("--policy", metavar="ID", help="Owner of a managed store; else BIDLOCK_POLICY.")]
Prefix = Annotated[str | None, typer.Option("--prefix", metavar="TEXT", help="First part of every key; else BIDLOCK_PREFIX.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Ttl = Annotated[float | None, typer.Option("--ttl", metavar="SECONDS", help="How long the lease lives without renewal; else BIDLOCK_TTL.")]
Timeout = Annotated[float, typer.Option("--timeout", metavar="SECONDS", min=0.0, help="How long to wait while another holds it.")]
Command = Annotated[list[str], typer.Argument(metavar="-- CMD...", help="The command and its arguments, after two dashes.")]
