"""Come by a cluster: start one and share it, keep one until told otherwise, or use what is there."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bidlock_kube import apitier, certificates, kubeconfigs, locking, places, runs, tenancy
from bidlock_kube.assets import Assets
from bidlock_kube.cluster import Cluster
from bidlock_kube.errors import KubeError
from bidlock_kube.locking import Say
from bidlock_kube.nodetier import starting
from bidlock_kube.runs import Run

TIERS: dict[str, Callable[..., Cluster]] = {"api": apitier.start, "node": starting.start}
"""How each tier is started: in an empty run, saying how far it is."""

_SAVED = "cluster.json"


@contextmanager
def shared(tier: str, name: str, logs: Path, *, say: Say) -> Iterator[Cluster]:
    """Use a cluster together with everybody who knows its name: the first starts it, with the last it goes.

    Raises:
        KubeError: it cannot be started, or could not be when somebody else tried.
    """
    if tier not in TIERS:
        raise KubeError(f"no tier {tier}; BIDLOCK_KUBE may say {', '.join([*TIERS, 'external'])}")
    run = Run(tenancy.folder(name), logs)
    with tenancy.joined(run):
        with locking.held(run.folder / "starting", waiting_for=f"starting the {tier} tier", say=say):
            cluster = _started_once(tier, run, say)
        yield cluster


def _started_once(tier: str, run: Run, say: Say) -> Cluster:
    failed = run.folder / "failed"
    if failed.exists():
        raise KubeError(failed.read_text())
    if (saved := run.folder / _SAVED).exists():
        return Cluster.load(saved)
    try:
        return _started(tier, run, say)
    except KubeError as error:
        failed.write_text(str(error))
        raise


def _started(tier: str, run: Run, say: Say, **options: object) -> Cluster:
    began = time.monotonic()
    cluster = TIERS[tier](run, say=say, **options)
    cluster.save(run.folder / _SAVED)
    say(f"{tier} tier ready in {time.monotonic() - began:.1f} s: {cluster.url}")
    return cluster


def with_scheduler(cluster: Cluster, *, say: Say) -> Cluster:
    """The same cluster, with a scheduler. An external one has its own, as has one with nodes.

    Raises:
        KubeError: the scheduler cannot be built.
    """
    if cluster.tier == "api":
        with locking.held(cluster.folder / "starting", waiting_for="starting the scheduler", say=say):
            apitier.add_scheduler(cluster, say=say)
    return cluster


def up(tier: str, *, say: Say, **options: object) -> Cluster:
    """Start a cluster that stays until `down`; one that runs already is as good.

    Raises:
        KubeError: it cannot be started, or one of another tier runs.
    """
    with _standing(say) as run:
        if running := _running(run):
            if running.tier != tier:
                raise KubeError(f"the {running.tier} tier is up; take it down first: make kube-down")
            return running
        runs.sweep(run.folder)
        run.folder.mkdir(parents=True, mode=0o700)
        try:
            return _started(tier, run, say, **options)
        except BaseException:
            runs.sweep(run.folder)
            raise


def down(*, say: Say) -> bool:
    """Take away the cluster of `up`, and what killed test runs left; False when no cluster was up."""
    with _standing(say) as run:
        there = run.folder.exists()
        runs.sweep(run.folder)
        tenancy.sweep_unused()
    return there


@contextmanager
def _standing(say: Say) -> Iterator[Run]:
    """The run that people start and stop, while nobody else does."""
    lock = places.cache() / "up.lock"
    with locking.held(lock, waiting_for="starting or stopping the cluster", say=say):
        folder = runs.root() / "up"
        yield Run(folder, folder / "log")


def _running(run: Run) -> Cluster | None:
    """The cluster of a run whose API server answers."""
    if not (saved := run.folder / _SAVED).exists():
        return None
    cluster = Cluster.load(saved)
    try:
        cluster.kubectl("get", "--raw=/readyz")
    except KubeError:
        return None
    return cluster


def external(folder: Path) -> Cluster:
    """The cluster that the current context of KUBECONFIG, or of kubectl's own file, names.

    Raises:
        KubeError: there is no such context.
    """
    binary = Path(shutil.which("kubectl") or Assets.of("kubectl")["kubectl"])
    path = folder / "admin.kubeconfig"
    said = subprocess.run(
        [binary, "config", "view", "--raw", "--minify", "--flatten", "--output=json"], capture_output=True, text=True, check=False
    )
    if said.returncode:
        raise KubeError(f"no external cluster ({said.stderr.strip()}); set KUBECONFIG, or unset BIDLOCK_KUBE to start one here")
    certificates.write(path, said.stdout.encode())
    return Cluster("external", path, kubeconfigs.cluster_of(path)["server"], binary, folder)
