"""What the bidders log, also those that have ended: a pod takes its log with it."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bidlock_hour.site import Site

from bidlock_kube.errors import KubeError
from bidlock_kube.repeating import repeated

LOOK_AGAIN = 0.5
"""Seconds between two looks for new pods."""


@dataclass
class Logs:
    """The logs of the bidders of one fleet.

    Attributes:
        site: Whose bidders.
        folder: Where they are written, a file for each pod.
        followed: What reads each pod's log.
    """

    site: Site
    folder: Path
    followed: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def look(self) -> None:
        """Follow the log of every bidder that runs; that of a container that was started again, anew."""
        with contextlib.suppress(KubeError):  # the API server is away for a moment
            for pod in self._running():
                if pod not in self.followed or self.followed[pod].poll() is not None:
                    self.followed[pod] = self._follow(pod)

    def end(self) -> None:
        """Follow no longer."""
        for process in self.followed.values():
            process.terminate()
            process.wait()

    def lines(self, words: Collection[str]) -> str:
        """The lines that have one of these words, each behind the name of its pod."""
        files = sorted(self.folder.glob("*.log"))
        said = ((file.stem, line) for file in files for line in file.read_text().splitlines())
        return "\n".join(f"{pod}: {line}" for pod, line in said if any(word in line for word in words))

    def _running(self) -> list[str]:
        pods = json.loads(self.site.kubectl("get", "pods", "-l", "app.kubernetes.io/component=bidder", "-o", "json"))["items"]
        return [pod["metadata"]["name"] for pod in pods if pod["status"].get("phase") == "Running"]

    def _follow(self, pod: str) -> subprocess.Popen[bytes]:
        cluster = self.site.cluster
        command = [cluster.binary, f"--kubeconfig={cluster.kubeconfig}", "-n", self.site.fleet, "logs", "--follow", pod]
        with (self.folder / f"{pod}.log").open("ab") as file:
            return subprocess.Popen(command, stdout=file, stderr=file)


@contextlib.contextmanager
def followed(site: Site, folder: Path) -> Iterator[Logs]:
    """Follow the bidders' logs while the block runs."""
    folder.mkdir()
    logs = Logs(site, folder)
    try:
        with repeated(logs.look, LOOK_AGAIN):
            yield logs
    finally:
        logs.end()
