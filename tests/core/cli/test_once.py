import asyncio
import sys

import pytest

import bidlock
from bidlock.backend import MarkerState


def marker(url):
    async def look():
        async with bidlock.connect(url, environment={}) as locks:
            return (await locks.inspect("upwork", "~01ab")).marker

    return asyncio.run(look())


def exiting(code):
    return [sys.executable, "-c", f"raise SystemExit({code})"]


def test_the_command_runs_and_the_bid_is_recorded_as_placed(cli, url):
    ran = cli("once", "--url", url, "upwork:~01ab", "--", "echo", "bidding", "--flag")

    assert (ran.code, ran.out) == (0, "bidding --flag\n")
    assert marker(url).state is MarkerState.PLACED


def test_a_posting_that_was_bid_on_is_skipped_with_its_reason(cli, url):
    cli("once", "--url", url, "upwork:~01ab", "--", "true")

    ran = cli("once", "--url", url, "upwork:~01ab", "--", "echo", "bidding")

    assert (ran.code, ran.out) == (3, "")
    assert ran.err == "bidlock: skipped: already_bid\n"


def test_the_exit_code_of_a_skip_can_be_chosen(cli, url):
    cli("once", "--url", url, "upwork:~01ab", "--", "true")

    assert cli("once", "--url", url, "--skipped-exit", "0", "upwork:~01ab", "--", "true").code == 0


@pytest.mark.parametrize(
    ("options", "code", "state"),
    [
        ([], 9, MarkerState.UNKNOWN),
        (["--rejected-exit", "9"], 9, MarkerState.REJECTED),
        (["--rejected-exit", "8"], 9, MarkerState.UNKNOWN),
        (["--rejected-exit", "0"], 0, MarkerState.REJECTED),
    ],
)
def test_the_commands_exit_code_is_passed_on_and_decides_what_is_recorded(cli, url, options, code, state):
    ran = cli("once", "--url", url, *options, "upwork:~01ab", "--", *exiting(code))

    assert (ran.code, ran.err) == (code, "")
    assert marker(url).state is state


def test_a_command_that_dies_of_a_signal_is_passed_on_as_a_shell_would(cli, url):
    assert cli("once", "--url", url, "upwork:~01ab", "--", "sh", "-c", "kill -KILL $$").code == 128 + 9
    assert marker(url).state is MarkerState.UNKNOWN


def test_a_missing_command_leaves_the_posting_alone(cli, url):
    ran = cli("once", "--url", url, "upwork:~01ab", "--", "no-such-command")

    assert ran.code == 127
    assert "'no-such-command' was not found" in ran.err
    assert marker(url) is None


def test_a_command_that_cannot_be_started_was_not_a_bid(cli, url, tmp_path):
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)

    ran = cli("once", "--url", url, "upwork:~01ab", "--", str(script))

    assert ran.code == 126
    assert marker(url).state is MarkerState.REJECTED


def test_the_command_learns_its_posting_and_token(cli, url):
    ran = cli(
        "once", "--url", url, "upwork:a:b", "--", "sh", "-c", "echo $BIDLOCK_MARKETPLACE $BIDLOCK_POSTING $BIDLOCK_TOKEN ${#BIDLOCK_NONCE}"
    )

    assert ran.out == "upwork a:b 1 32\n"


def test_the_creation_stamp_is_kept_with_the_marker(cli, url):
    cli("once", "--url", url, "--posted-at", "2026-03-01T12:00:00Z", "upwork:~01ab", "--", "true")

    assert marker(url).posted_at_ms == 1772366400000


@pytest.mark.parametrize("stamp", ["yesterday", "2026-03-01", "2026-03-01T12:00:00"])
def test_a_stamp_that_is_no_moment_everywhere_is_refused(cli, url, stamp):
    ran = cli("once", "--url", url, "--posted-at", stamp, "upwork:~01ab", "--", "true")

    assert ran.code == 2
    assert "is no moment" in ran.err


def test_a_posting_that_somebody_holds_is_skipped(cli, url):
    async def hold():
        async with bidlock.connect(url, environment={}) as locks:
            await locks.try_hold("upwork", "~01ab")

    asyncio.run(hold())

    assert cli("once", "--url", url, "upwork:~01ab", "--", "true").err == "bidlock: skipped: held\n"
