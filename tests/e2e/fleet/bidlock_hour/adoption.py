"""An original bot in its Deployment, with its table on a volume; and what became of every posting after a fleet adopted it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from bidlock_hour.market import Market
from bidlock_hour.site import ROOT, Site

from bidlock.postings import posting

PROGRAMS = (Path(__file__).parent / "original.py", ROOT / "tests" / "plugins" / "sqlite" / "programs" / "original_bot.py")
FILE = "tasks.db"
"""The originals' own name for their file."""


def begin(site: Site) -> None:
    """The volume, the program, and one original bot."""
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "bids"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    program = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "original"},
        "data": {one.name: one.read_text() for one in PROGRAMS},
    }
    labels = {"app": "original"}
    container = {
        "name": "bot",
        "image": site.images["python"],
        "command": ["python3", "/bot/original.py", f"/data/{FILE}", "http://marketplace:8080"],
        "env": [{"name": "PYTHONDONTWRITEBYTECODE", "value": "1"}],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "bids", "mountPath": "/data"}, {"name": "program", "mountPath": "/bot"}],
    }
    pod = {
        "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "fsGroup": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
        "terminationGracePeriodSeconds": 1,  # it knows no signal; it ends in the middle of whatever it does
        "containers": [container],
        "volumes": [
            {"name": "bids", "persistentVolumeClaim": {"claimName": "bids"}},
            {"name": "program", "configMap": {"name": "original"}},
        ],
    }
    workload = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "original"},
        "spec": {
            "replicas": 1,
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }
    site.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all((claim, program, workload)))
    site.kubectl("rollout", "status", "deployment/original", "--timeout=180s")


def end(site: Site) -> None:
    """Scale the original bots to zero, and see the last pod gone."""
    site.kubectl("scale", "deployment/original", "--replicas=0")
    site.kubectl("wait", "pod", "-l", "app=original", "--for=delete", "--timeout=120s")


@dataclass(frozen=True)
class Share:
    """How many bids came from whom."""

    original: int
    new: int

    @classmethod
    def of(cls, market: Market) -> Share:
        """Until now."""
        bidders = [bid["bidder"] for bid in market.bids()]
        original = bidders.count("original")
        return cls(original, len(bidders) - original)

    def grew(self, before: Share) -> bool:
        """Whether both sides have bid since."""
        return self.original > before.original and self.new > before.new


def offers(site: Site) -> dict[str, float]:
    """When every posting was created, Unix milliseconds."""
    text = site.kubectl("exec", "deployment/marketplace", "--", "cat", "/data/postings.jsonl")
    found = map(json.loads, text.splitlines())
    return {job["id"]: datetime.fromisoformat(job["posted_at"]).timestamp() * 1000 for job in found}


def unexplained(missing: Mapping[str, float], watermark_ms: int, states: Mapping[str, str]) -> list[str]:
    """Postings without a bid for which there is no reason: neither older than the adoption, nor locked by an original bot that was killed."""
    left = {one: states.get(posting("upwork", one).key, "no marker") for one, posted in missing.items() if posted > watermark_ms}
    return [f"{one}: {state}" for one, state in left.items() if state != "presumed"]


def told(site: Site, name: str) -> dict[str, Any]:
    """A condition of the policy."""
    conditions = site.policy().get("status", {}).get("conditions", ())
    return next((one for one in conditions if one["type"] == name), {})
