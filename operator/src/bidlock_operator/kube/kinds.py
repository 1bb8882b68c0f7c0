"""The kinds of objects that the operator handles, beside its own."""

from __future__ import annotations

from bidlock_operator.resources import Resource

CONFIG_MAP = Resource("", "v1", "ConfigMap", "configmaps")
SECRET = Resource("", "v1", "Secret", "secrets")
SERVICE = Resource("", "v1", "Service", "services")
POD = Resource("", "v1", "Pod", "pods")
CLAIM = Resource("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims")
DEPLOYMENT = Resource("apps", "v1", "Deployment", "deployments")
STATEFUL_SET = Resource("apps", "v1", "StatefulSet", "statefulsets")
DISRUPTION_BUDGET = Resource("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets")
NETWORK_POLICY = Resource("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies")
LEASE = Resource("coordination.k8s.io", "v1", "Lease", "leases")
EVENT = Resource("events.k8s.io", "v1", "Event", "events")
ACCESS_REVIEW = Resource("authorization.k8s.io", "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews")

CHILDREN = (CONFIG_MAP, SECRET, SERVICE, CLAIM, DEPLOYMENT, STATEFUL_SET, DISRUPTION_BUDGET, NETWORK_POLICY)
"""What a policy may own."""


def of(manifest: dict[str, object]) -> Resource:
    """The kind of a child's manifest.

    Raises:
        KeyError: the operator makes no such objects.
    """
    return _BY_KIND[str(manifest["kind"])]


_BY_KIND = {resource.kind: resource for resource in CHILDREN}
