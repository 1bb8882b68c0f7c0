"""A real Kubernetes to test against: its programs built from Go modules, started as plain processes."""

from bidlock_kube.assets import Assets
from bidlock_kube.errors import KubeError

__all__ = ["Assets", "KubeError"]
