"""The images that a cluster's pods can run, by role; made and brought there when they are first asked for."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from bidlock_kube.cluster import Cluster
from bidlock_kube.errors import KubeError
from bidlock_kube.images import buildah, making
from bidlock_kube.locking import Say
from bidlock_kube.nodetier import nodes, stocking

REGISTRY = "IMAGE_REGISTRY"
"""Names a registry, as `host:port/path`, that an external cluster pulls from and this machine can push to."""


@dataclass(frozen=True)
class Images:
    """Names of images by role.

    >>> images["operator"]
    'localhost/bidlock-operator:3f2a…'
    """

    cluster: Cluster
    say: Say
    _names: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, role: str) -> str:
        """The name to write into a manifest; the cluster has the image, or can pull it.

        Raises:
            KubeError: it cannot be built, or cannot be brought there.
        """
        if role not in self._names:
            self._names[role] = self._bring(making.make([role], say=self.say)[role])
        return self._names[role]

    def _bring(self, name: str) -> str:
        if self.cluster.tier == "node":
            for node in nodes.of(self.cluster.run):
                stocking.stock(node, [name])
            return name
        return push(name)


def push(name: str) -> str:
    """Push an image to the registry of an external cluster and return its name there.

    Raises:
        KubeError: there is no registry, or it refuses.
    """
    registry = os.environ.get(REGISTRY, "").rstrip("/")
    if not registry:
        raise KubeError(f"an external cluster pulls its images from a registry; set {REGISTRY}=host:port/path to one it can reach")
    there = f"{registry}/{name.removeprefix('localhost/')}"
    buildah.push(name, f"docker://{there}", *_insecure(registry))
    return there


def _insecure(registry: str) -> list[str]:
    """A registry on this machine speaks no TLS, as a rule."""
    return ["--tls-verify=false"] if registry.split(":")[0] in {"localhost", "127.0.0.1"} else []
