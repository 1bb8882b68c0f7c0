"""The command lines of a control plane: pure functions of where things are.

Everything listens on loopback or on the bridge of a node network. etcd listens on sockets in the run's folder, which only
its owner may enter. The controllers serve nothing; that they live shows in what they do.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bidlock_kube.assets import Assets

SERVICE_RANGE = "10.96.0.0/16"
FIRST_SERVICE = "10.96.0.1"
"""The address of the API server inside a cluster: the first of the range."""
POD_RANGE = "10.244.0.0/16"
DOMAIN = "cluster.local"
ISSUER = f"https://kubernetes.default.svc.{DOMAIN}"

_NODE_LOST_SECONDS = 15
"""After how long a silent node counts as lost, and how long its pods stay after that. The defaults are 40 and 300."""

_ETCD = "unix://etcd:1"
"""A socket in the run's folder, where all its processes work; etcd wants its name to look like a host and a port."""

AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Metadata  # secrets and tokens stay out of the log
    resources:
      - group: ""
        resources: [secrets, configmaps, serviceaccounts/token]
      - group: authentication.k8s.io
        resources: [tokenreviews]
  - level: Request
    verbs: [create, update, patch, delete, deletecollection]
  - level: Metadata
"""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a control plane is.

    Attributes:
        folder: Of the run.
        audit: The audit log.
        address: Where the API server listens.
        port: Where the API server listens.
    """

    folder: Path
    audit: Path
    port: int
    address: str = "127.0.0.1"

    @property
    def url(self) -> str:
        """Of the API server."""
        return f"https://{self.address}:{self.port}"

    @property
    def pki(self) -> Path:
        """Certificates and keys."""
        return self.folder / "pki"

    def kubeconfig(self, user: str) -> Path:
        """The kubeconfig of `admin` or of a component."""
        return kubeconfig(self.folder, user)


def kubeconfig(folder: Path, user: str) -> Path:
    """The kubeconfig of `admin` or of a component, in the run of this folder."""
    return folder / f"{user}.kubeconfig"


def etcd(assets: Assets, at: Layout) -> list[str]:
    """etcd, which may lose what the machine loses: nobody restarts the machine under a test."""
    client, peer = _ETCD, "unix://peer:1"
    return [
        str(assets["etcd"]),
        "--name=etcd",
        f"--data-dir={at.folder}/etcd",
        "--unsafe-no-fsync",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=etcd={peer}",
    ]


def kube_apiserver(assets: Assets, at: Layout, *, nodes: bool) -> list[str]:
    """The API server; with `nodes` it publishes its own address, for pods to find it."""
    pki = at.pki
    return [
        str(assets["kube-apiserver"]),
        f"--etcd-servers={_ETCD}",
        f"--bind-address={at.address}",
        f"--advertise-address={at.address}",
        f"--secure-port={at.port}",
        "--permit-port-sharing",  # with the socket that keeps the port ours until it is bound
        f"--endpoint-reconciler-type={'lease' if nodes else 'none'}",  # a loopback address is no valid endpoint
        f"--tls-cert-file={pki}/apiserver.crt",
        f"--tls-private-key-file={pki}/apiserver.key",
        f"--client-ca-file={pki}/ca.crt",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        f"--service-account-issuer={ISSUER}",
        f"--service-account-key-file={pki}/tokens.pub",
        f"--service-account-signing-key-file={pki}/tokens.key",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        f"--kubelet-certificate-authority={pki}/ca.crt",
        f"--kubelet-client-certificate={pki}/apiserver-kubelet.crt",
        f"--kubelet-client-key={pki}/apiserver-kubelet.key",
        "--kubelet-preferred-address-types=InternalIP",
        f"--requestheader-client-ca-file={pki}/front-proxy-ca.crt",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={pki}/front-proxy.crt",
        f"--proxy-client-key-file={pki}/front-proxy.key",
        "--enable-aggregator-routing=true",
        f"--default-not-ready-toleration-seconds={_NODE_LOST_SECONDS}",
        f"--default-unreachable-toleration-seconds={_NODE_LOST_SECONDS}",
        f"--audit-policy-file={at.folder}/audit-policy.yaml",
        f"--audit-log-path={at.audit}",
        "--audit-log-mode=blocking",  # what was answered is in the log
        "--profiling=false",
    ]


def kube_controller_manager(assets: Assets, at: Layout) -> list[str]:
    """The controllers: replica sets, service accounts, namespaces, garbage collection and more."""
    return [
        str(assets["kube-controller-manager"]),
        *_client(at.folder, "kube-controller-manager"),
        f"--root-ca-file={at.pki}/ca.crt",
        f"--service-account-private-key-file={at.pki}/tokens.key",
        "--use-service-account-credentials=true",
        "--kube-api-qps=300",  # with the default of 20 the first service account comes five seconds later
        "--kube-api-burst=600",
        "--allocate-node-cidrs=true",
        f"--cluster-cidr={POD_RANGE}",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--node-monitor-period=2s",
        f"--node-monitor-grace-period={_NODE_LOST_SECONDS}s",
    ]


def kube_scheduler(assets: Assets, folder: Path) -> list[str]:
    """The scheduler of the run in this folder."""
    return [str(assets["kube-scheduler"]), *_client(folder, "kube-scheduler")]


def _client(folder: Path, user: str) -> list[str]:
    """What both have in common: there is one of each, so nobody elects, and nobody asks, so nothing listens."""
    return [f"--kubeconfig={kubeconfig(folder, user)}", "--leader-elect=false", "--secure-port=0", "--profiling=false"]
