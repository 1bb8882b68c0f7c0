"""Every fault tool really hurts, and what it did is made good."""

from __future__ import annotations

import json

import pytest

BID = """
import json, pathlib, socket, sys, time
wire = socket.create_connection((sys.argv[1], 8080), timeout=5)
pathlib.Path("/tmp/connected").touch()
while not pathlib.Path("/tmp/go").exists():
    time.sleep(0.05)
body = json.dumps({"marketplace": "upwork", "id": "~1", "bidder": "me", "amount": 1}).encode()
wire.sendall(b"POST /bids HTTP/1.1\\r\\nHost: m\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body)
try:
    print(wire.recv(1000).decode() or "closed")
except TimeoutError:
    print("no answer")
"""


def test_a_killed_process_is_started_again(corner, idle, faults):
    corner.run("Deployment", "victim", idle)
    restarts = ("get", "pods", "-l", "app=victim", "-o", "jsonpath={.items[0].status.containerStatuses[0].restartCount}")
    assert corner.kubectl(*restarts) == "0"

    faults.kill(corner.namespace, corner.pod("victim"))

    corner.eventually(lambda: corner.kubectl(*restarts) == "1" and corner.ready("victim"))


def test_a_stopped_process_is_not_ready_until_it_goes_on(corner, web, faults):
    corner.run("Deployment", "victim", web)

    faults.stop(corner.namespace, corner.pod("victim"))
    corner.eventually(lambda: not corner.ready("victim"))

    faults.resume(corner.namespace, corner.pod("victim"))
    corner.eventually(lambda: corner.ready("victim"))


def test_a_cut_pod_does_not_reach_its_peer_until_it_is_healed(corner, web, idle, faults):
    corner.run("Deployment", "web", web)
    corner.run("Deployment", "victim", idle)
    peer, victim = corner.pods("web")[0]["status"]["podIP"], corner.pod("victim")
    ask = (victim, "timeout", "2", "wget", "-q", "-O", "/dev/null", f"http://{peer}:8000/")
    assert corner.works(*ask)

    faults.cut(corner.namespace, victim, peer)
    assert not corner.works(*ask)
    assert corner.ready("victim")

    faults.heal(corner.namespace, victim)
    assert corner.works(*ask)


def test_a_pod_that_loses_replies_has_acted_without_learning_it(corner, images, idle, faults):
    market = {
        "image": images["marketplace"],
        "args": ["--host", "0.0.0.0"],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080}},
    }
    corner.run("Deployment", "market", market)
    scratch = {"volumes": [{"name": "tmp", "emptyDir": {}}], "mounts": [{"name": "tmp", "mountPath": "/tmp"}]}
    peer = corner.pods("market")[0]["status"]["podIP"]
    bidding = {
        **idle,
        "command": ["sh", "-c", 'python3 -c "$0" "$1" >/tmp/said; sleep infinity', BID, peer],
        "volumeMounts": scratch["mounts"],
    }
    corner.run("Deployment", "victim", bidding, volumes=scratch["volumes"])
    victim = corner.pod("victim")
    corner.eventually(lambda: corner.works(victim, "test", "-e", "/tmp/connected"))

    faults.cut(corner.namespace, victim, peer, replies_only=True)
    corner.do(victim, "touch", "/tmp/go")

    assert corner.eventually(lambda: corner.do(victim, "cat", "/tmp/said")) == "no answer\n"
    stats = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:8080/stats').read().decode())"
    assert json.loads(corner.do(corner.pod("market"), "python3", "-c", stats))["bids"] == 1


def test_a_node_without_power_is_lost_and_comes_back_with_its_data(corner, idle, faults, state):
    claim = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}}
    container = {**idle, "volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    corner.run("StatefulSet", "victim", container, serviceName="victim", volumeClaimTemplates=[claim])
    corner.do("victim-0", "sh", "-c", "echo kept >/data/word && sync")
    (pod,) = corner.pods("victim")
    node = pod["spec"]["nodeName"]

    faults.power_off(node)
    corner.eventually(lambda: state(node) != "True")

    faults.power_on(node)
    corner.eventually(lambda: state(node) == "True")
    assert corner.eventually(lambda: corner.works("victim-0", "true") and corner.do("victim-0", "cat", "/data/word")) == "kept\n"


def test_an_unplugged_node_is_lost_until_it_is_plugged_in(corner, faults, state):
    faults.unplug("node-2")
    corner.eventually(lambda: state("node-2") == "Unknown")

    faults.plug("node-2")
    corner.eventually(lambda: state("node-2") == "True")


def test_a_drained_node_has_no_pod_of_ours_and_takes_none_until_it_is_uncordoned(corner, idle, any_faults):
    corner.run("Deployment", "moving", idle, replicas=2)
    node = corner.pods("moving")[0]["spec"]["nodeName"]

    any_faults.drain(node)
    corner.kubectl("rollout", "status", "deployment/moving", "--timeout=60s")
    assert node not in {pod["spec"]["nodeName"] for pod in corner.pods("moving")}

    any_faults.uncordon(node)
    assert not corner.cluster.kubectl("get", "node", node, "-o", "jsonpath={.spec.unschedulable}")


@pytest.mark.parametrize("verb", ["stop", "cut"])
def test_what_a_test_leaves_hurt_is_made_good(corner, web, faults, verb):
    corner.run("Deployment", "victim", web)
    getattr(faults, verb)(corner.namespace, corner.pod("victim"))
    corner.eventually(lambda: not corner.ready("victim"))

    faults.undo()

    corner.eventually(lambda: corner.ready("victim"))
