"""Kubeconfig files: where a cluster is, and who asks."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path

from bidlock_kube import certificates
from bidlock_kube.certificates import Pair

_NAME = "bidlock-kube"


def with_certificate(path: Path, *, url: str, authority: bytes, pair: Pair) -> Path:
    """Write a kubeconfig whose user is who the certificate names."""
    user = {"client-certificate-data": _base64(pair.certificate), "client-key-data": _base64(pair.key)}
    return _write(path, url, _base64(authority), user)


def with_token(path: Path, *, url: str, authority: bytes, token: str, namespace: str) -> Path:
    """Write a kubeconfig whose user is who the token belongs to."""
    return _write(path, url, _base64(authority), {"token": token}, namespace)


def _write(path: Path, url: str, authority: str, user: Mapping[str, str], namespace: str = "default") -> Path:
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": _NAME, "cluster": {"server": url, "certificate-authority-data": authority}}],
        "users": [{"name": _NAME, "user": user}],
        "contexts": [{"name": _NAME, "context": {"cluster": _NAME, "user": _NAME, "namespace": namespace}}],
        "current-context": _NAME,
    }
    certificates.write(path, json.dumps(content, indent=2).encode())  # JSON is YAML
    return path


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
