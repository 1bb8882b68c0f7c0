"""The configuration of a node's programs: pure functions. Inside a node the standard paths are the node's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bidlock_kube.components import DOMAIN, POD_RANGE
from bidlock_kube.nodetier import addresses

SOCKET = "/run/containerd/containerd.sock"
CNI_PROGRAMS = Path("/usr/lib/cni")
"""Where Debian's containernetworking-plugins are."""

PRIVATE = {"containerd": "/var/lib/containerd", "kubelet": "/var/lib/kubelet", "log": "/var/log"}
"""Folders of a node, and where it sees them."""

FLEETING = ("/run/containerd", "/run/netns", "/var/lib/cni")
"""Where a node sees memory that is empty whenever it starts."""


def init(number: int, folder: Path) -> str:
    """The script by which a node's first process arranges its mounts before it becomes the reaper."""
    return "\n".join(
        [
            "set -e",
            "mount --make-rshared /",
            f"hostname {addresses.name(number)}",
            *(f"mount --bind {folder / name} {place}" for name, place in PRIVATE.items()),
            *(f"mount -t tmpfs tmpfs {place}" for place in FLEETING),
            "echo 1 >/proc/sys/net/ipv4/ip_forward",
            # services are reached from pods of the same node only if bridged packets are shown to the rules, too
            "test ! -e /proc/sys/net/bridge/bridge-nf-call-iptables || echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables",
            f"touch {folder / 'arranged'}",
            "exec catatonit -P\n",
        ]
    )


def containerd(pause: str, folder: Path) -> str:
    """Containerd with its own state, cgroups by path, and our sandbox image."""
    return f"""\
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
]

[grpc]
address = "{SOCKET}"

[plugins."io.containerd.internal.v1.opt"]
path = "/var/lib/containerd/opt"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{pause}"
restrict_oom_score_adj = true  # a machine without CAP_SYS_RESOURCE may not lower a score

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{CNI_PROGRAMS}"
conf_dir = "{folder}/cni"

[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
"""


def cni(number: int) -> str:
    """Pods on a bridge of the node's, with addresses of the node's range and a default route through it."""
    ipam = {"type": "host-local", "ranges": [[{"subnet": addresses.pods(number)}]], "routes": [{"dst": "0.0.0.0/0"}]}
    bridge = {"type": "bridge", "bridge": "cni0", "isGateway": True, "hairpinMode": True, "ipam": ipam}
    return _json({"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge, {"type": "portmap", "capabilities": {"portMappings": True}}]})


def kubelet(folder: Path, pki: Path, cgroup: str) -> str:
    """Kubelet: its own cgroup, quick to tell of its state and to restart a container, slow to throw anything away."""
    return _json(
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "failCgroupV1": False,
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{cgroup}",
            "enforceNodeAllocatable": ["pods"],
            "containerRuntimeEndpoint": f"unix://{SOCKET}",
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": str(pki / "ca.crt")},
            },
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": str(folder / "kubelet.crt"),
            "tlsPrivateKeyFile": str(folder / "kubelet.key"),
            "clusterDomain": DOMAIN,
            "clusterDNS": [addresses.DNS],
            "resolvConf": str(folder / "resolv.conf"),
            "volumePluginDir": str(folder / "volume-plugins"),
            "failSwapOn": False,
            "nodeStatusUpdateFrequency": "2s",
            "nodeStatusReportFrequency": "10s",
            "nodeLeaseDurationSeconds": 10,
            "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "nodefs.inodesFree": "1%", "imagefs.available": "1%"},
            "imageGCHighThresholdPercent": 100,  # what is collected could not be pulled again
            "imageGCLowThresholdPercent": 99,
            "featureGates": {"KubeletCrashLoopBackOffMax": True},
            "crashLoopBackOff": {"maxContainerRestartPeriod": "5s"},
        }
    )


def kube_proxy(number: int, folder: Path) -> str:
    """kube-proxy on nftables. It leaves the sysctls of connection tracking alone: they are the machine's."""
    return _json(
        {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "nftables",
            "clientConnection": {"kubeconfig": str(folder / "kube-proxy.kubeconfig")},
            "hostnameOverride": addresses.name(number),
            "clusterCIDR": POD_RANGE,
            "detectLocalMode": "ClusterCIDR",
            "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
            "nftables": {"minSyncPeriod": "100ms", "syncPeriod": "30s"},
        }
    )


def _json(value: Any) -> str:
    return json.dumps(value, indent=1)
