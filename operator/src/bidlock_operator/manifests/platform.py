"""What children need to know of the cluster and of the operator, and no policy says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Platform:
    """Where children run.

    Attributes:
        redis_image: Image of Redis or Valkey, where a policy names none.
        agent_image: Image with `bidlock agent`.
        image_pull_policy: Of both; empty for Kubernetes' own rule.
        cluster_domain: The cluster's DNS domain.
        operator_namespace: Where the operator runs: stores let it in.
        operator_labels: Labels of its pods.
    """

    redis_image: str = "valkey/valkey:8.1"
    agent_image: str = "bidlock/agent:latest"
    image_pull_policy: str = ""
    cluster_domain: str = "cluster.local"
    operator_namespace: str = "default"
    operator_labels: Mapping[str, str] = field(default_factory=lambda: {"app.kubernetes.io/component": "operator"})
