"""The markers of the SQLite file, as its agent's container sees them."""

from __future__ import annotations

import json

from bidlock_hour.site import Site

AGENT = "deployment/arbitrage-agent"
SEEN = (
    "import json, sqlite3, sys; print(json.dumps(sqlite3.connect('file:' + sys.argv[1] + '?mode=ro', uri=True)"
    ".execute('SELECT key, state FROM bidlock_marker').fetchall()))"
)


def states(site: Site, file: str) -> dict[str, str]:
    """The state of every marker by the posting's key, while the policy has an agent.

    The agent may have been killed a moment ago: the kubelet takes its time to start a container that died twice.
    """
    site.kubectl("rollout", "status", AGENT, "--timeout=300s")
    return dict(json.loads(site.kubectl("exec", AGENT, "-c", "bidlock-agent", "--", "python3", "-c", SEEN, f"/var/lib/bidlock/{file}")))
