import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import bidlock
from bidlock.cli import children, hold
from bidlock.cli.exit_codes import ExitCode

pytestmark = pytest.mark.slow

BIDLOCK = Path(sys.executable).with_name("bidlock")


def test_the_lock_is_free_again_after_the_command(cli, url):
    first = cli("hold", "--url", url, "upwork:1", "--", "sh", "-c", "echo $BIDLOCK_TOKEN; exit 4")
    second = cli("hold", "--url", url, "upwork:1", "--", "sh", "-c", "echo $BIDLOCK_TOKEN")

    assert (first.code, first.out) == (4, "1\n")
    assert (second.code, second.out) == (0, "2\n")


def test_a_held_posting_is_not_acquired(cli, url):
    async def take():
        async with bidlock.connect(url, environment={}) as locks:
            await locks.try_hold("upwork", "1")

    asyncio.run(take())

    ran = cli("hold", "--url", url, "--timeout", "0", "upwork:1", "--", "echo", "in")

    assert (ran.code, ran.out) == (3, "")
    assert ran.err == "bidlock: upwork:1 was not acquired within 0 s: held\n"


async def test_a_lost_lease_ends_the_command_and_everything_it_started(locks, tmp_path, capfd):
    """The grandchild ignores SIGTERM; SIGKILL reaches it, too, because the command has a process group of its own."""
    pids = tmp_path / "pids"
    command = ["sh", "-c", f"trap '' TERM; sh -c 'trap \"\" TERM; echo $$ > {pids}; sleep 1000' & wait; sleep 1000"]
    lease = await locks.try_hold("upwork", "1")
    running = asyncio.ensure_future(hold._run_under(lease, command, children.Signals(), grace=0.05))
    while not (pids.exists() and pids.read_text()):
        await asyncio.sleep(0.01)

    lease.lost.set()

    assert await running is ExitCode.LOST
    assert "was lost; ending the command" in capfd.readouterr().err
    while running_still(int(pids.read_text())):
        await asyncio.sleep(0.01)


def running_still(pid):
    """Whether the process is there and is more than a zombie that its parent has not asked about."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def started(*arguments):
    """The console script in a process of its own; its command has said `ready` when this returns."""
    running = subprocess.Popen([BIDLOCK, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stdout.readline() == "ready\n"
    return running


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_is_forwarded_to_the_command(number):
    name = signal.Signals(number).name.removeprefix("SIG")
    script = f"trap 'echo got {name}; exit 5' {name}; echo ready; while :; do sleep 0.05; done"
    with started("hold", "--url", "memory://", "upwork:1", "--", "sh", "-c", script) as running:
        os.kill(running.pid, number)
        out, _ = running.communicate()

    assert (running.returncode, out) == (5, f"got {name}\n")


def test_a_command_that_a_forwarded_signal_kills_is_reported_as_such():
    with started("hold", "--url", "memory://", "upwork:1", "--", "sh", "-c", "echo ready; exec sleep 1000") as running:
        os.kill(running.pid, signal.SIGTERM)
        running.communicate()

    assert running.returncode == 128 + signal.SIGTERM


async def test_a_signal_while_waiting_for_the_lock_ends_the_wait(url):
    """Nothing is started, and the exit code says which signal it was."""
    async with bidlock.connect(url, environment={}) as locks:
        await locks.try_hold("upwork", "1")

        async def wait():
            with children.Signals():
                async with locks.hold("upwork", "1", timeout=1000):
                    raise AssertionError("it was held")

        waiting = asyncio.ensure_future(wait())
        await asyncio.sleep(0)
        os.kill(os.getpid(), signal.SIGTERM)

        with pytest.raises(children.Stopped) as stopped:
            await waiting
    assert stopped.value.number == signal.SIGTERM


def test_a_ttl_that_the_store_cannot_grant_is_refused_with_the_bounds(cli, url):
    ran = cli("hold", "--url", url, "--ttl", "1", "upwork:1", "--", "true")

    assert ran.code == 5
    assert "asks for at least 15.5 s" in ran.err
