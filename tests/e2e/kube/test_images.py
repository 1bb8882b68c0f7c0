"""Our images do their work under the `restricted` pod security standard with a read-only root."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
import yaml

FLEET = Path(__file__).parents[3] / "examples" / "kubernetes" / "fleet.yaml"
OURS = ["operator", "agent", "bidder", "marketplace"]
NOTHING = ["sleep", "infinity"]
ROOT_IS_READ_ONLY = "import errno, os\ntry:\n  open('/written', 'w')\nexcept OSError as e:\n  assert e.errno == errno.EROFS, e\nelse:\n  raise SystemExit('written')"


@pytest.mark.parametrize("role", OURS)
def test_an_image_is_not_root_by_itself(corner, images, role):
    """`runAsNonRoot` without a number trusts the image's own user."""
    spec = {
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": "main",
                "image": images[role],
                "command": NOTHING,
                "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
            }
        ],
    }
    corner.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "alone"}, "spec": spec})
    corner.kubectl("wait", "--for=condition=Ready", "pod/alone", "--timeout=60s")

    assert corner.do("alone", "id", "-u") == "10001\n"
    assert corner.do("alone", "sh", "-c", "grep CapEff /proc/self/status").split()[1].strip("0") == ""


@pytest.mark.parametrize("role", OURS)
def test_an_image_needs_no_writable_root_and_has_no_installer(corner, images, role):
    corner.run("Deployment", "locked", {"image": images[role], "command": NOTHING})
    pod = corner.pod("locked")

    corner.do(pod, "python3", "-c", ROOT_IS_READ_ONLY)
    assert not corner.works(pod, "python3", "-c", "import pip")


@pytest.mark.parametrize("role", OURS)
def test_every_module_of_an_image_is_compiled(corner, images, role):
    corner.run("Deployment", "compiled", {"image": images[role], "command": NOTHING})
    look = "import pathlib; print(sum(1 for s in pathlib.Path('/opt').rglob('*.py') if not list(s.parent.glob(f'__pycache__/{s.stem}.*.pyc'))))"

    assert corner.do(corner.pod("compiled"), "python3", "-c", look) == "0\n"


@pytest.mark.parametrize(("role", "help_of"), [("operator", ["bidlock-operator", "--help"]), ("agent", ["bidlock", "agent", "--help"])])
def test_an_images_command_is_there(corner, images, role, help_of):
    corner.run("Deployment", "commanded", {"image": images[role], "command": NOTHING})

    assert corner.do(corner.pod("commanded"), *help_of)


@pytest.mark.parametrize(("role", "server"), [("redis", "redis-server"), ("valkey", "valkey-server")])
def test_a_redis_server_answers_its_client(corner, images, role, server):
    corner.run("Deployment", "store", {"image": images[role], "command": [server, "--dir", "/tmp", "--save", ""]})

    assert corner.eventually(lambda: corner.works(corner.pod("store"), "redis-cli", "ping"))


def test_a_pod_of_the_examples_ends_at_sigterm_although_its_process_does_not_listen_yet(corner, images, faults):
    policy = next(one for one in yaml.safe_load_all(FLEET.read_text()) if one["kind"] == "BidLockPolicy")
    spec = policy["spec"]["bidder"]["template"]["spec"]
    (container,) = spec["containers"]
    kept = {key: container[key] for key in ("name", "securityContext")}
    spec |= {"restartPolicy": "Never", "containers": [kept | {"image": images["bidder"], "command": NOTHING}]}
    corner.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "early"}, "spec": spec})
    corner.kubectl("wait", "--for=condition=Ready", "pod/early", "--timeout=60s")

    os.kill(faults.pid(corner.namespace, "early"), signal.SIGTERM)

    corner.kubectl("wait", "--for=jsonpath={.status.phase}=Failed", "pod/early", "--timeout=60s")


def test_example_bidders_bid_on_every_posting_once(corner, images):
    store = {"image": images["valkey"], "command": ["valkey-server", "--protected-mode", "no", "--save", ""]}
    corner.run("Deployment", "store", store)
    corner.serve("store", 6379)
    market = {
        "image": images["marketplace"],
        "args": ["--host", "0.0.0.0"],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080}},
    }
    corner.run("Deployment", "market", market)
    corner.serve("market", 8080)
    postings = [
        {"marketplace": "upwork", "id": f"~{n}", "title": "a bot", "budget": 100, "posted_at": "2026-01-01T00:00:00Z"} for n in range(40)
    ]
    feed = "".join(f"{json.dumps(posting)}\n" for posting in postings)
    corner.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "feed"}, "data": {"postings.jsonl": feed}})

    bidder = {
        "image": images["bidder"],
        "args": ["--feed", "/feed/postings.jsonl", "--follow", "--marketplace", "http://market:8080", "--host", "0.0.0.0"],
        "env": [{"name": "BIDLOCK_URL", "value": "redis://store:6379/0"}],
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": 8081}, "periodSeconds": 1},
        "volumeMounts": [{"name": "feed", "mountPath": "/feed"}],
    }
    corner.run("Deployment", "bidder", bidder, replicas=3, volumes=[{"name": "feed", "configMap": {"name": "feed"}}])

    look = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:8080/stats').read().decode())"
    stats = corner.eventually(lambda: _all_bid(json.loads(corner.do(corner.pod("market"), "python3", "-c", look)), len(postings)))
    assert stats["duplicates"] == 0


def _all_bid(stats, postings):
    return stats if stats["postings"] == postings else None
