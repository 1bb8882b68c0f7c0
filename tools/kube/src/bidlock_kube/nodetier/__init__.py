"""The node tier: real nodes (containerd, kubelet, kube-proxy, CNI), DNS and volumes on this machine. Needs root and Linux.

A node is a set of namespaces whose first process reaps; when that process is killed, everything in the node is gone:
processes, mounts, addresses, rules. Nothing of the system's own containerd or kubelet is touched.
"""
