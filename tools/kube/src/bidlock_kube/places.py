"""Where things are kept. The cache survives; what one cluster writes does not."""

from __future__ import annotations

import os
from pathlib import Path

MODULES = Path(__file__).parent / "modules"
"""One Go module per upstream project: `go.mod` and `go.sum` are the pins, `tools.go` names the programs."""


def cache() -> Path:
    """The folder of everything that is built or fetched: outside the checkout, shared by all of them."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "bidlock" / "kube"
