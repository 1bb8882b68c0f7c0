"""What goes wrong with a test cluster."""

from __future__ import annotations


class KubeError(Exception):
    """The test cluster cannot be had; the message is one line that says why and what to do, sometimes followed by a log's end."""
