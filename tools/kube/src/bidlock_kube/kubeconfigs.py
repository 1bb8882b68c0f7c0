"""Kubeconfig files: where a cluster is, and who asks."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bidlock_kube import certificates
from bidlock_kube.certificates import Pair

_NAME = "bidlock-kube"


def with_certificate(path: Path, *, url: str, authority: bytes, pair: Pair) -> Path:
    """Write a kubeconfig whose user is who the certificate names."""
    cluster = {"server": url, "certificate-authority-data": _base64(authority)}
    user = {"client-certificate-data": _base64(pair.certificate), "client-key-data": _base64(pair.key)}
    return _write(path, cluster, user)


def with_token(path: Path, *, like: Path, token: str, namespace: str) -> Path:
    """Write a kubeconfig for the cluster of `like`, one of ours, whose user is who the token belongs to."""
    return _write(path, cluster_of(like), {"token": token}, namespace)


def cluster_of(path: Path) -> Mapping[str, Any]:
    """Where the only cluster of a kubeconfig in JSON is, and whom to trust there."""
    cluster: Mapping[str, Any] = json.loads(path.read_text())["clusters"][0]["cluster"]
    return cluster


def _write(path: Path, cluster: Mapping[str, Any], user: Mapping[str, str], namespace: str = "default") -> Path:
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": _NAME, "cluster": cluster}],
        "users": [{"name": _NAME, "user": user}],
        "contexts": [{"name": _NAME, "context": {"cluster": _NAME, "user": _NAME, "namespace": namespace}}],
        "current-context": _NAME,
    }
    certificates.write(path, json.dumps(content, indent=2).encode())  # JSON is YAML
    return path


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
