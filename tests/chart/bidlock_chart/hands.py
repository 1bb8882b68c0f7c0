"""Runs the pods of the operator's image as processes of this machine, for a control plane without nodes.

Each process has the arguments, variables, files and the rights of its pod: what a role does not give is refused for real.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubernetes import client

from bidlock_kube.cluster import Cluster
from bidlock_kube.repeating import repeated

IMAGE = "bidlock/operator:"
"""Pods of other images, which the operator makes, are left pending."""

LOOK_AGAIN = 0.1
"""Seconds between two looks at the pods."""


@dataclass
class Running:
    """A pod that runs."""

    process: subprocess.Popen[bytes]
    log: Path
    port: int
    said: str = ""


@dataclass
class Hands:
    """Looks at the pods of a namespace until the block ends.

    Attributes:
        cluster: A control plane.
        namespace: Whose pods are run.
        folder: For files and logs.
        pods: Those that were run, by name.
        told: Names of those that were told to end.
    """

    cluster: Cluster
    namespace: str
    folder: Path
    pods: dict[str, Running] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)

    def look(self) -> None:
        """Start what is new, end what is gone, tell the API server of the rest."""
        there = {pod["metadata"]["name"]: pod for pod in self._list()}
        for name in self.pods.keys() - there.keys() - self.told:
            self.pods[name].process.terminate()
            self.told.add(name)
        for name, pod in there.items():
            if name not in self.pods and not pod["status"].get("containerStatuses"):
                self.pods[name] = self._start(pod)
            if name in self.pods:
                self._tell(pod, self.pods[name])

    def stop(self) -> None:
        """End every process."""
        for running in self.pods.values():
            running.process.kill()
            running.process.wait()

    def log(self, part: str) -> str:
        """What the pods whose names have this part wrote."""
        return "".join(running.log.read_text() for name, running in self.pods.items() if part in name)

    def _list(self) -> list[dict[str, Any]]:
        core = client.CoreV1Api(self.cluster.client)
        pods = [self.cluster.client.sanitize_for_serialization(pod) for pod in core.list_namespaced_pod(self.namespace).items]
        return [pod for pod in pods if pod["spec"]["containers"][0]["image"].startswith(IMAGE)]

    def _start(self, pod: dict[str, Any]) -> Running:
        name, (container,) = pod["metadata"]["name"], pod["spec"]["containers"]
        log, port = self.folder / f"{name}.log", _free_port()
        arguments = [self._file(pod, word) for word in container["args"]]
        with log.open("wb") as out:
            command = [sys.executable, "-m", "bidlock_operator", *arguments]
            return Running(subprocess.Popen(command, env=self._environment(pod, container, port), stdout=out, stderr=out), log, port)

    def _environment(self, pod: dict[str, Any], container: dict[str, Any], port: int) -> dict[str, str]:
        known = {"metadata.name": pod["metadata"]["name"], "metadata.namespace": self.namespace}
        set_ = {
            one["name"]: one.get("value") or known.get(one.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath"), "")
            for one in container["env"]
        }
        account = self.cluster.account(self.namespace, pod["spec"]["serviceAccountName"])
        here = {"KUBECONFIG": str(account), "BIDLOCK_OPERATOR_HTTP_HOST": "127.0.0.1", "BIDLOCK_OPERATOR_HTTP_PORT": str(port)}
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("BIDLOCK_", "KUBE"))}
        return plain | set_ | here

    def _file(self, pod: dict[str, Any], word: str) -> str:
        """A mounted file as a file of this machine."""
        if not word.startswith("/etc/bidlock/"):
            return word
        (volume,) = [one for one in pod["spec"]["volumes"] if one["name"] == "files"]
        data = client.CoreV1Api(self.cluster.client).read_namespaced_config_map(volume["configMap"]["name"], self.namespace).data
        path = self.folder / f"{pod['metadata']['name']}.jsonl"
        path.write_text(data[Path(word).name])
        return str(path)

    def _tell(self, pod: dict[str, Any], running: Running) -> None:
        code = running.process.poll()
        if code is None:
            phase, state = "Running", {"running": {}}
        else:
            phase, state = "Failed" if code else "Succeeded", {"terminated": {"exitCode": code}}
        ready = code is None and _answers(running.port)
        if running.said == f"{phase}{ready}":
            return
        container = pod["spec"]["containers"][0]
        status = {
            "phase": phase,
            "conditions": [{"type": kind, "status": str(ready)} for kind in ("Ready", "ContainersReady")],
            "containerStatuses": [
                {"name": container["name"], "image": container["image"], "imageID": "", "ready": ready, "restartCount": 0, "state": state}
            ],
        }
        with contextlib.suppress(client.ApiException):  # it was deleted meanwhile
            client.CoreV1Api(self.cluster.client).patch_namespaced_pod_status(pod["metadata"]["name"], self.namespace, {"status": status})
            running.said = f"{phase}{ready}"


@contextlib.contextmanager
def at_work(cluster: Cluster, namespace: str, folder: Path) -> Iterator[Hands]:
    """Run the pods of a namespace while the block runs."""
    hands = Hands(cluster, namespace, folder)
    try:
        with repeated(hands.look, LOOK_AGAIN):
            yield hands
    finally:
        hands.stop()


def command(words: list[str], kubeconfig: Path) -> subprocess.CompletedProcess[str]:
    """Run one command of the operator's image to its end, with the rights of a kubeconfig."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("BIDLOCK_", "KUBE"))}
    return subprocess.run(
        [sys.executable, "-m", "bidlock_operator", *words], env=plain | {"KUBECONFIG": str(kubeconfig)}, capture_output=True, text=True
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
