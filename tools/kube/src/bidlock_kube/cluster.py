"""A running cluster, as tests and people see it, whoever started it."""

from __future__ import annotations

import functools
import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bidlock_kube import kubeconfigs
from bidlock_kube.errors import KubeError
from bidlock_kube.runs import Run

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

TOKEN_SECONDS = 3600
"""How long a service account's token is valid."""


@dataclass(frozen=True)
class Cluster:
    """A running cluster.

    Attributes:
        tier: `api`, `node` or `external`.
        kubeconfig: Of an administrator.
        url: Of the API server.
        binary: The command `kubectl`.
        folder: Where files that belong to it may be written.
        logs: Of its processes, one file each; None for an external cluster.
        audit: Its audit log; None for an external cluster.
    """

    tier: str
    kubeconfig: Path
    url: str
    binary: Path
    folder: Path
    logs: Path | None = None
    audit: Path | None = None

    @functools.cached_property
    def client(self) -> ApiClient:
        """A client that may do everything; for `kubernetes.client.CoreV1Api(kube.client)` and the like."""
        return self.client_of(self.kubeconfig)

    def client_of(self, kubeconfig: Path) -> ApiClient:
        """A client for whom this kubeconfig names."""
        from kubernetes import config  # it takes a second, which who only wants kubectl need not wait
        from kubernetes.client import ApiClient, Configuration

        settings = Configuration()
        config.load_kube_config(config_file=str(kubeconfig), client_configuration=settings)  # type: ignore[no-untyped-call]  # the client's own lack
        if self.logs:
            settings.proxy = ""  # it is on this machine
        return ApiClient(settings)

    @property
    def run(self) -> Run:
        """Its processes, to crash and restart them.

        Raises:
            KubeError: it is an external cluster.
        """
        if not self.logs:
            raise KubeError("the processes of an external cluster are out of reach; unset BIDLOCK_KUBE to start one here")
        return Run(self.folder, self.logs)

    def kubectl(self, *words: str | Path, stdin: str | None = None, kubeconfig: Path | None = None) -> str:
        """Run kubectl, as administrator or as whom `kubeconfig` names, and return what it prints.

        Raises:
            KubeError: it failed; the message is what it said.
        """
        command = [str(self.binary), f"--kubeconfig={kubeconfig or self.kubeconfig}", *(str(word) for word in words)]
        ended = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
        if ended.returncode:
            raise KubeError(f"kubectl {' '.join(command[2:])}: {ended.stderr.strip()}")
        return ended.stdout

    def apply(self, *manifests: Mapping[str, Any], manager: str = "bidlock-kube") -> None:
        """Apply manifests server-side.

        Raises:
            KubeError: the API server refused one.
        """
        stream = "\n".join(json.dumps(one) for one in manifests)
        self.kubectl("apply", "--server-side", f"--field-manager={manager}", "-f", "-", stdin=stream)

    def account(self, namespace: str, name: str) -> Path:
        """Write a kubeconfig of a service account, which may do what its roles allow; the account must exist."""
        token = self.kubectl("create", "token", name, f"--namespace={namespace}", f"--duration={TOKEN_SECONDS}s").strip()
        return kubeconfigs.with_token(
            self.folder / f"{namespace}.{name}.kubeconfig", like=self.kubeconfig, token=token, namespace=namespace
        )

    def save(self, path: Path) -> None:
        """Write it down in one step, for others who use it."""
        fields = {key: str(value) if value is not None else None for key, value in vars(self).items() if key in self.__dataclass_fields__}
        part = path.with_suffix(".part")
        part.write_text(json.dumps(fields))
        part.rename(path)

    @classmethod
    def load(cls, path: Path) -> Cluster:
        """Read what `save` wrote."""
        fields = json.loads(path.read_text())
        paths = {key: Path(value) for key, value in fields.items() if key not in {"tier", "url"} and value is not None}
        return cls(tier=fields["tier"], url=fields["url"], **paths)
