"""Bring images into a node: a stream of those blobs that it does not have."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable

from bidlock_kube.errors import KubeError
from bidlock_kube.images import layouts
from bidlock_kube.nodetier import configs
from bidlock_kube.nodetier.commands import ENVIRONMENT
from bidlock_kube.nodetier.nodes import Node

_CTR = ("ctr", "--address", configs.SOCKET, "--namespace", "k8s.io")


def stock(node: Node, names: Iterable[str]) -> None:
    """Have these images in a node.

    Raises:
        KubeError: containerd refused them.
    """
    there = set(node.inside(*_CTR, "images", "list", "--quiet").split())
    if missing := [name for name in dict.fromkeys(names) if name not in there]:
        _import(node, missing)


def _import(node: Node, names: list[str]) -> None:
    blobs = frozenset(node.inside(*_CTR, "content", "list", "--quiet").split())
    command = [*node.enter(), *_CTR, "images", "import", "--snapshotter", "overlayfs", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=ENVIRONMENT) as importing:
        assert importing.stdin  # noqa: S101 — for the type checker: it is a pipe
        try:
            layouts.stream(names, blobs, importing.stdin)
            importing.stdin.close()
        except BrokenPipeError:
            pass  # it says why
        said = importing.stderr.read().decode() if importing.stderr else ""
    if importing.returncode:
        raise KubeError(f"{node.name} does not take {', '.join(names)}: {said.strip()}")
