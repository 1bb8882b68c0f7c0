"""A cluster as the platform engineer has it: helm, kubectl, the manifests of the examples with the images of this checkout."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bidlock_kube.cluster import Cluster
from bidlock_kube.nodetier.stores import Images

ROOT = Path(__file__).parents[4]
CHART = ROOT / "charts" / "bidlock"
EXAMPLES = ROOT / "examples" / "kubernetes"
ROLES = ("operator", "agent", "bidder", "marketplace", "original-bot")
"""Images of ours: `bidlock/ROLE` in manifests."""


@dataclass(frozen=True)
class Site:
    """One cluster, one operator, one fleet.

    Attributes:
        cluster: Where all runs.
        helm_binary: The command helm.
        images: Names of the images by role.
        system: The operator's namespace.
        fleet: The fleet's namespace.
    """

    cluster: Cluster
    helm_binary: Path
    images: Images
    system: str
    fleet: str

    def helm(self, *words: str | Path, values: Mapping[str, Any] | None = None) -> str:
        """Run helm as an administrator.

        Raises:
            AssertionError: it failed; the message is what it said.
        """
        given = [] if values is None else ["--values", "-"]
        command = [str(self.helm_binary), "--kubeconfig", str(self.cluster.kubeconfig), *map(str, words), *given]
        ended = subprocess.run(command, input=json.dumps(values or {}), capture_output=True, text=True)
        assert ended.returncode == 0, f"helm {' '.join(map(str, words))}: {ended.stderr}"
        return ended.stdout

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        """Run kubectl in the fleet's namespace."""
        return self.cluster.kubectl("--namespace", self.fleet, *words, stdin=stdin)

    def values(self) -> dict[str, Any]:
        """The chart's values with the images of this checkout."""
        return {
            "image": parts(self.images["operator"]),
            "agent": {"image": parts(self.images["agent"])},
            "redis": {"image": parts(self.images["redis"])},
            "scope": "Namespaces",
            "watchNamespaces": [self.fleet],
        }

    def example(self, name: str, change: Callable[[dict[str, Any]], None] = lambda _: None) -> None:
        """Apply a file of the examples, each object after a change to it."""
        text = (EXAMPLES / name).read_text()
        for role in ROLES:
            if f"bidlock/{role}:" in text:
                text = text.replace(f"bidlock/{role}:0.1.0", self.images[role])
        documents = list(yaml.safe_load_all(text))
        for document in documents:
            change(document)
        self.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(documents))

    def policy(self, name: str = "arbitrage") -> dict[str, Any]:
        """The policy as it is."""
        found: dict[str, Any] = json.loads(self.kubectl("get", "blp", name, "-o", "json"))
        return found


def parts(image: str) -> dict[str, str]:
    """`registry/repository:tag` as the chart's values want it."""
    name, _, tag = image.rpartition(":")
    registry, _, repository = name.rpartition("/")
    return {"registry": registry, "repository": repository, "tag": tag}


def eventually(look: Callable[[], Any], *, seconds: float, what: str) -> Any:
    """Look again until there is something to see."""
    until = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < until, f"{what}: not after {seconds:g} s"
        time.sleep(0.5)
    return seen
