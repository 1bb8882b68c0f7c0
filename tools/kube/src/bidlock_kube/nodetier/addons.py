"""What a cluster of nodes has on top: DNS, the right to proxy, and a storage class. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bidlock_kube.components import DOMAIN
from bidlock_kube.nodetier import addresses

Manifest = Mapping[str, Any]

STORAGE_NAMESPACE = "local-path-storage"
STORAGE_CLASS = "local-path"
VOLUMES = "/var/lib/kubelet/volumes"
"""Where a node keeps volumes."""

_DNS_PORT = 1053  # above 1024: CoreDNS needs no capability

COREFILE = f"""\
.:{_DNS_PORT} {{
    errors
    health
    ready
    kubernetes {DOMAIN} in-addr.arpa {{
        pods insecure
        ttl 1
    }}
    cache 1
    loadbalance
}}
"""


def manifests(coredns: str) -> list[Manifest]:
    """Everything that is applied to a new cluster of nodes.

    Args:
        coredns: Name of its image.
    """
    return [*_proxier(), *_dns(coredns), *_storage()]


def _proxier() -> list[Manifest]:
    return [
        _binding(
            "node-proxier", "system:node-proxier", {"kind": "User", "name": "system:kube-proxy", "apiGroup": "rbac.authorization.k8s.io"}
        )
    ]


def _dns(image: str) -> list[Manifest]:
    here = {"namespace": "kube-system"}
    rules = [
        {"apiGroups": [""], "resources": ["services", "pods", "namespaces"], "verbs": ["list", "watch"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
    ]
    ports = [{"name": name.lower(), "protocol": name, "port": 53, "targetPort": _DNS_PORT} for name in ("UDP", "TCP")]
    service = {"clusterIP": addresses.DNS, "selector": {"k8s-app": "kube-dns"}, "ports": ports}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "coredns", **here}},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "coredns"}, "rules": rules},
        _binding("coredns", "coredns", {"kind": "ServiceAccount", "name": "coredns", **here}),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "coredns", **here}, "data": {"Corefile": COREFILE}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "kube-dns", **here}, "spec": service},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "coredns", **here}, "spec": _dns_deployment(image)},
    ]


def _dns_deployment(image: str) -> Manifest:
    container = {
        "name": "coredns",
        "image": image,
        "imagePullPolicy": "Never",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "securityContext": {"readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 1},
        "livenessProbe": {"httpGet": {"path": "/health", "port": 8080}, "initialDelaySeconds": 10},
        "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns"}],
    }
    pod = {
        "serviceAccountName": "coredns",
        "priorityClassName": "system-cluster-critical",
        "dnsPolicy": "Default",  # it is the cluster's DNS, so it cannot ask it
        "tolerations": [{"operator": "Exists"}],
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65532},
        "containers": [container],
        "volumes": [{"name": "config", "configMap": {"name": "coredns"}}],
    }
    labels = {"k8s-app": "kube-dns"}
    return {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}


def _storage() -> list[Manifest]:
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    scripts = {"setup": 'mkdir -m 0777 -p "$VOL_DIR"\n', "teardown": 'rm -rf "$VOL_DIR"\n'}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": STORAGE_NAMESPACE}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": STORAGE_CLASS, "namespace": STORAGE_NAMESPACE}},
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": STORAGE_CLASS, "annotations": default},
            "provisioner": "rancher.io/local-path",
            "volumeBindingMode": "WaitForFirstConsumer",
        },
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": STORAGE_CLASS, "namespace": STORAGE_NAMESPACE}, "data": scripts},
    ]


def provisioner_config() -> str:
    """What the provisioner of volumes reads: one folder on every node."""
    paths = [{"node": "DEFAULT_PATH_FOR_NON_LISTED_NODES", "paths": [VOLUMES]}]
    return json.dumps({"nodePathMap": paths, "setupCommand": None, "teardownCommand": None})


def provisioner_helper(image: str) -> str:
    """The pod by which the provisioner makes and removes a folder on a node."""
    container = {"name": "helper", "image": image, "imagePullPolicy": "Never", "securityContext": {"runAsUser": 0}}
    spec = {"priorityClassName": "system-node-critical", "tolerations": [{"operator": "Exists"}], "containers": [container]}
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "helper"}, "spec": spec})


def _binding(name: str, role: str, subject: Mapping[str, str]) -> Manifest:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [subject],
    }
