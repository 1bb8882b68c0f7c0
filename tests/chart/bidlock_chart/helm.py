"""The real helm, from the programs of the test cluster."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[3] / "charts" / "bidlock"
SECONDS = 180
"""Longest time for one command."""


class HelmError(Exception):
    """What helm wrote when it failed."""


@dataclass(frozen=True)
class Helm:
    """Runs helm.

    Attributes:
        binary: The command.
        home: Where it keeps its own files.
        kubeconfig: Whose rights it has; None for a helm that reaches no cluster.
    """

    binary: Path
    home: Path
    kubeconfig: Path | None = None

    def __call__(self, *words: str | Path, values: Mapping[str, Any] | None = None) -> str:
        """Run it, with values from standard input if given, and return what it prints."""
        given = [] if values is None else ["--values", "-"]
        command = [str(self.binary), *map(str, words), *given]
        ended = subprocess.run(
            command, input=json.dumps(values or {}), env=self._environment(), capture_output=True, text=True, timeout=SECONDS
        )
        if ended.returncode:
            raise HelmError(ended.stderr)
        return ended.stdout

    def template(
        self, values: Mapping[str, Any] | None = None, *, name: str = "bidlock", namespace: str = "locks", known: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """The rendered objects; `known` are API versions that the cluster has beside its own."""
        knows = [word for version in known for word in ("--api-versions", version)]
        text = self("template", name, CHART, "--namespace", namespace, *knows, values=values or {})
        return [document for document in yaml.safe_load_all(text) if document]

    def notes(self, values: Mapping[str, Any] | None = None) -> str:
        """What it tells after an installation with these values."""
        text = self("install", "bidlock", CHART, "--namespace", "locks", "--dry-run=client", values=values or {})
        return text.partition("NOTES:\n")[2]

    def _environment(self) -> dict[str, str]:
        homes = {f"HELM_{kind}_HOME": str(self.home / kind) for kind in ("CACHE", "CONFIG", "DATA")}
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("HELM_", "KUBE"))}
        return plain | homes | {"KUBECONFIG": str(self.kubeconfig or self.home / "none")}
