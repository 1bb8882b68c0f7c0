"""Kills the processes of a fleet in turn, as crashes do, while something else goes on."""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bidlock_hour.site import Site

from bidlock_kube.errors import KubeError
from bidlock_kube.nodetier.faults import Faults

EVERY = 15.0
"""Seconds between two kills: each kind has its turn once a minute, so that what was killed may come back in between."""

AGAIN = 0.5
"""Seconds to the next try when none of a kind was there to be killed: its turn is not over."""

VICTIMS = ("bidder", "redis", "agent", "leader")


@dataclass
class Fire:
    """Kills one process after the other, SIGKILL, each kind in its turn.

    Attributes:
        site: Whose processes.
        faults: What kills.
        killed: How many of each kind.
    """

    site: Site
    faults: Faults
    killed: Counter[str] = field(default_factory=Counter)

    @property
    def complete(self) -> bool:
        """Whether every kind was killed at least once."""
        return set(self.killed) == set(VICTIMS)

    def kill(self, victim: str, turn: int) -> bool:
        """Kill one of a kind; False where there is none just now, or nobody says so."""
        with contextlib.suppress(KubeError, ProcessLookupError):  # the API server did not answer in time; it has just ended by itself
            namespace, pod = (self.site.system, self._leader()) if victim == "leader" else (self.site.fleet, self._pod(victim, turn))
            if pod:
                self.faults.kill(namespace, pod)
                self.killed[victim] += 1
                return True
        return False

    def _pod(self, component: str, turn: int) -> str:
        found = json.loads(self.site.kubectl("get", "pods", "-l", f"app.kubernetes.io/component={component}", "-o", "json"))["items"]
        running = sorted(pod["metadata"]["name"] for pod in found if pod["status"].get("phase") == "Running")
        return running[turn % len(running)] if running else ""

    def _leader(self) -> str:
        """The pod that holds the Lease: identities begin with it."""
        leases = json.loads(self.site.cluster.kubectl("get", "leases", "-n", self.site.system, "-o", "json"))["items"]
        holders = [lease["spec"].get("holderIdentity") or "" for lease in leases]
        return next((holder.partition("_")[0] for holder in holders if holder), "")


@contextlib.contextmanager
def burning(site: Site, faults: Faults) -> Iterator[Fire]:
    """Kill while the block runs."""
    fire, over = Fire(site, faults), threading.Event()
    thread = threading.Thread(target=_repeated, args=(fire, over.wait))
    thread.start()
    try:
        yield fire
    finally:
        over.set()
        thread.join()


def _repeated(fire: Fire, over: Callable[[float], bool]) -> None:
    for turn, victim in enumerate(itertools.cycle(VICTIMS)):
        if over(EVERY):
            return
        while not fire.kill(victim, turn):
            if over(AGAIN):
                return
