"""Which programs there are, and from which Go module each is built."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bidlock_kube import places
from bidlock_kube.errors import KubeError


@dataclass(frozen=True, slots=True)
class Module:
    """A Go module of ours that pins one upstream project.

    Attributes:
        name: Its folder in `modules/`.
        upstream: The path of the upstream module.
        stamps: Go variables that hold the version, for `-ldflags -X`; `{version}`, `{major}` and `{minor}` are filled in.
    """

    name: str
    upstream: str
    stamps: tuple[str, ...] = ()
    home: Path = places.MODULES

    @property
    def folder(self) -> Path:
        """Where `go.mod` is."""
        return self.home / self.name

    @property
    def version(self) -> str:
        """The pinned version, for example `v1.34.4`."""
        return self._pinned(rf"^(?:require )?\s*{re.escape(self.upstream)} (v\S+)")

    @property
    def go(self) -> tuple[int, ...]:
        """The oldest Go that builds it, for example `(1, 26, 0)`."""
        return tuple(int(part) for part in self._pinned(r"^go ([\d.]+)$").split("."))

    @property
    def ldflags(self) -> str:
        """The linker's flags: no symbol tables, and the version where the program looks for it."""
        major, minor, *_ = self.version.removeprefix("v").split(".")
        filled = [stamp.format(version=self.version, major=major, minor=minor) for stamp in self.stamps]
        return " ".join(["-s -w", *(f"-X {stamp}" for stamp in filled)])

    def _pinned(self, pattern: str) -> str:
        file = self.folder / "go.mod"
        if found := re.search(pattern, file.read_text(), re.MULTILINE):
            return found[1]
        raise KubeError(f"{file} does not pin {self.upstream}; restore it from version control")


@dataclass(frozen=True, slots=True)
class Program:
    """A command that is built from a module."""

    name: str
    module: Module
    package: str

    @property
    def output(self) -> str:
        """What `go build` calls it: the last word of the package that is no major version."""
        *rest, last = self.package.split("/")
        return rest[-1] if re.fullmatch(r"v\d+", last) else last


# Without the stamps Kubernetes calls itself v0.0.0-master, which clients compare with their own version.
_KUBERNETES = Module(
    "kubernetes",
    "k8s.io/kubernetes",
    (
        "k8s.io/component-base/version.gitVersion={version}",
        "k8s.io/component-base/version.gitMajor={major}",
        "k8s.io/component-base/version.gitMinor={minor}",
        "k8s.io/client-go/pkg/version.gitVersion={version}",
    ),
)
_ETCD = Module("etcd", "go.etcd.io/etcd/server/v3")
_COREDNS = Module("coredns", "github.com/coredns/coredns")
# The second pair is the Kubernetes for which helm renders without a cluster; unstamped it is 1.20, which our chart refuses.
_HELM = Module(
    "helm",
    "helm.sh/helm/v3",
    (
        "helm.sh/helm/v3/internal/version.version={version}",
        "helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1",
        "helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=34",
        "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor=1",
        "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor=34",
    ),
)
_LOCAL_PATH = Module("local-path-provisioner", "github.com/rancher/local-path-provisioner")

PROGRAMS: dict[str, Program] = {
    program.name: program
    for program in (
        Program("etcd", _ETCD, _ETCD.upstream),
        *(
            Program(name, _KUBERNETES, f"{_KUBERNETES.upstream}/cmd/{name}")
            for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl")
        ),
        Program("helm", _HELM, f"{_HELM.upstream}/cmd/helm"),
        Program("coredns", _COREDNS, _COREDNS.upstream),
        Program("local-path-provisioner", _LOCAL_PATH, _LOCAL_PATH.upstream),
    )
}
"""Every program, by name."""

API_TIER = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")
"""What an API server needs to be tested against."""

NODE_TIER = (*API_TIER, "kubelet", "kube-proxy", "coredns", "local-path-provisioner", "helm")
"""What nodes need on top, and Helm, which installs on them; it takes as long to build as etcd, and no API server needs it."""


def named(names: Iterable[str]) -> Sequence[Program]:
    """The programs of these names.

    Raises:
        KubeError: there is no such program.
    """
    wanted = list(dict.fromkeys(names))
    if unknown := [name for name in wanted if name not in PROGRAMS]:
        raise KubeError(f"no program {', '.join(unknown)}; there are {', '.join(PROGRAMS)}")
    return [PROGRAMS[name] for name in wanted]
