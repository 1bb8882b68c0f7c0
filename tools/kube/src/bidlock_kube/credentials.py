"""What a control plane needs to know before it starts: certificates, keys, kubeconfigs, and what to audit."""

from __future__ import annotations

from bidlock_kube import certificates, components, kubeconfigs
from bidlock_kube.certificates import SERVER, Authority
from bidlock_kube.components import Layout

_CLIENTS = {
    "admin": ("admin", "system:masters"),
    "kube-controller-manager": ("system:kube-controller-manager", ""),
    "kube-scheduler": ("system:kube-scheduler", ""),
}
"""Whose kubeconfig is written, as which user of which group."""


def prepare(at: Layout) -> Authority:
    """Write all of it into the run's folder; return the authority, which signs for whoever else joins."""
    at.pki.mkdir(mode=0o700)
    authority, front = Authority.new("bidlock-kube"), Authority.new("bidlock-kube-front-proxy")
    certificates.write(at.pki / "ca.crt", authority.certificate)
    certificates.write(at.pki / "front-proxy-ca.crt", front.certificate)
    authority.issue("kube-apiserver", uses=[SERVER], hosts=_hosts(at)).write(at.pki, "apiserver")
    authority.issue("kube-apiserver-kubelet-client", group="system:masters").write(at.pki, "apiserver-kubelet")
    front.issue("front-proxy-client").write(at.pki, "front-proxy")
    private, public = certificates.token_keys()
    certificates.write(at.pki / "tokens.key", private)
    certificates.write(at.pki / "tokens.pub", public)
    for user, (name, group) in _CLIENTS.items():
        pair = authority.issue(name, group=group)
        pair.write(at.pki, user)
        kubeconfigs.with_certificate(at.kubeconfig(user), url=at.url, authority=authority.certificate, pair=pair)
    (at.folder / "audit-policy.yaml").write_text(components.AUDIT_POLICY)
    return authority


def _hosts(at: Layout) -> list[str]:
    """How the API server is reached: from here, from nodes, from pods."""
    inside = "kubernetes.default.svc"
    names = ["localhost", "kubernetes", "kubernetes.default", inside, f"{inside}.{components.DOMAIN}"]
    return list(dict.fromkeys(["127.0.0.1", at.address, components.FIRST_SERVICE, *names]))
