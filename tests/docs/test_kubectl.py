"""The kubectl commands and manifests of the pages, on a real API server with the definition of BidLockPolicy.

There is no operator and no node, so what waits for them is left out: see `LEFT_OUT`.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DEFINITION = ROOT / "charts/bidlock/files/bidlockpolicies.yaml"
LEFT_OUT = re.compile(r" (exec|wait|rollout|cp) |--raw|delete (pod|crd)|create namespace|policy\.yaml|apply -f -$|YOUR|-f sqlite\.yaml")
"""What needs a running pod, an operator or a proxy; what would hurt other tests; what is the reader's own file."""

COMMAND = re.compile(r"^ *\$ (kubectl [^\n#]+)|`(kubectl (?:patch|scale) [^`\n]+ -[^`\n]+)`", re.MULTILINE)
BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
FOREIGN = re.compile(r"argoproj|fluxcd|^resource\.", re.MULTILINE)


def tracked_pages() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "docs/*.md", "charts/*.md", "examples/kubernetes/*.md"], cwd=ROOT, capture_output=True, check=True
    )
    return [ROOT / name for name in listed.stdout.decode().splitlines()]


def found(page: Path) -> list[str]:
    return [said for one in COMMAND.findall(page.read_text()) if not LEFT_OUT.search(said := f"{(one[0] or one[1]).strip()} ".rstrip())]


PAGES = [page for page in tracked_pages() if found(page)]
MANIFESTS = [page for page in tracked_pages() if BLOCK.search(page.read_text())]


def real(command: str, namespace: str) -> str:
    """The command with names that exist, and without what would not end."""
    command = re.sub(r"(-n|--namespace) (bots|bidlock)\b", rf"-n {namespace}", command)
    command = re.sub(r"\bNAME(?=\b|-)", "fleet", command).replace(" -w", "").replace("NAMESPACE:ACCOUNT", f"{namespace}:default")
    return f"{command} --dry-run=server" if command.startswith("kubectl delete") else command


@pytest.fixture(scope="module")
def defined(kube):
    """A cluster that knows BidLockPolicy."""
    kube.kubectl("apply", "--server-side", "--force-conflicts", "-f", DEFINITION)
    for state in ("jsonpath={.status.acceptedNames.plural}=bidlockpolicies", "condition=Established"):
        kube.kubectl("wait", f"--for={state}", "crd/bidlockpolicies.bidlock.io", "--timeout=60s")
    return kube


@pytest.fixture
def cluster(defined, namespace, tmp_path):
    """An environment for a shell: kubectl, its namespace, a policy and its Secret."""
    config = tmp_path / "kubeconfig"
    config.write_bytes(defined.kubeconfig.read_bytes())
    defined.kubectl("config", "set-context", "--current", f"--namespace={namespace}", kubeconfig=config)
    policy = (ROOT / "examples/kubernetes/policies/sqlite.yaml").read_text().replace("name: arbitrage", "name: fleet", 1)
    defined.kubectl("apply", "-f", "-", stdin=policy, kubeconfig=config)
    defined.kubectl("create", "secret", "generic", "fleet-redis-auth", kubeconfig=config)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "kubectl").symlink_to(defined.binary)
    return os.environ | {"KUBECONFIG": str(config), "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_kubectl_commands_of_a_page_run(page, cluster, namespace, tmp_path):
    for folder in ("charts", "examples"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    for command in found(page):
        done = subprocess.run(
            ["bash", "-c", real(command, namespace)], cwd=tmp_path, env=cluster, capture_output=True, text=True, timeout=60
        )

        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        assert "unknown field" not in done.stderr, f"{command}\n{done.stderr}"


@pytest.mark.parametrize("page", MANIFESTS, ids=lambda page: page.stem)
def test_the_manifests_of_a_page_are_accepted(page, cluster):
    for text in BLOCK.findall(page.read_text()):
        assert yaml.safe_load(text)
        if FOREIGN.search(text):
            continue  # a kind that this cluster does not know
        done = subprocess.run(
            ["kubectl", "apply", "--dry-run=server", "--validate=strict", "-f", "-"],
            env=cluster,
            input=text,
            capture_output=True,
            text=True,
        )

        assert done.returncode == 0, done.stderr
