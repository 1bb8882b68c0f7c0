import asyncio
import getpass

import pytest

import bidlock
from bidlock.memory import STORES


def take(url):
    async def hold():
        async with bidlock.connect(url, environment={}, holder="pod-7") as locks:
            await locks.try_hold("upwork", "1", ttl=300, posted_at=1772366400)

    asyncio.run(hold())


def audit(url):
    return STORES[f"{url.removeprefix('memory://')}/bidlock"].audit


def test_a_free_posting_is_shown_as_free(cli, url):
    ran = cli("inspect", "--url", url, "upwork:1")

    assert ran.code == 0
    assert ran.out.split() == ["posting", "upwork:1", "lease", "free", "marker", "none;", "nobody", "bid"]


def test_a_held_posting_is_shown_with_its_holder(cli, url):
    take(url)

    found = cli("inspect", "--url", url, "--json", "upwork:1").json

    assert (found["marketplace"], found["posting_id"], found["key"], found["marker"]) == ("upwork", "1", "upwork:1", None)
    assert found["lease"]["holder"] == "pod-7"
    assert found["lease"]["token"] == 1
    assert set(found["lease"]) == {"nonce", "token", "holder", "since_ms", "remaining_ms"}


def test_a_posting_that_was_bid_on_is_shown_with_its_marker(cli, url):
    cli("once", "--url", url, "--posted-at", "1772366400", "upwork:1", "--", "true")

    found = cli("inspect", "--url", url, "--json", "upwork:1").json

    assert found["lease"] is None
    assert found["marker"]["state"] == "placed"
    assert found["marker"]["posted_at_ms"] == 1772366400000
    assert "placed under token 1, posted 2026-03-01T12:00:00+00:00" in cli("inspect", "--url", url, "upwork:1").out


def test_breaking_a_lease_frees_the_posting_and_is_audited(cli, url):
    take(url)

    ran = cli("break", "--url", url, "--yes", "--by", "ann", "--reason", "pod is gone", "upwork:1")

    assert (ran.code, ran.out) == (0, "broke the lease of upwork:1 held by pod-7 (token 1)\n")
    assert audit(url) == [("upwork:1", "ann", "pod is gone")]


def test_who_breaks_is_the_user_of_this_machine_unless_named(cli, url):
    take(url)

    cli("break", "--url", url, "--yes", "--reason", "pod is gone", "upwork:1")

    assert audit(url) == [("upwork:1", getpass.getuser(), "pod is gone")]


def test_without_a_terminal_nothing_is_broken_unless_yes_is_said(process):
    ran = process("break", "--url", "memory://", "--reason", "pod is gone", "upwork:1")

    assert ran.code == 2
    assert "add --yes" in ran.err


@pytest.mark.parametrize(("answer", "code", "left"), [("y\n", 0, "free"), ("n\n", 1, "held by pod-7")])
def test_on_a_terminal_it_asks_first(cli, url, monkeypatch, answer, code, left):
    import io

    take(url)
    terminal = io.StringIO(answer)
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stdin", terminal)

    assert cli("break", "--url", url, "--reason", "pod is gone", "upwork:1").code == code
    assert left in cli("inspect", "--url", url, "upwork:1").out


def test_breaking_nothing_says_so(cli, url):
    ran = cli("break", "--url", url, "--yes", "--reason", "tidy", "upwork:1")

    assert (ran.code, ran.out) == (0, "upwork:1 is not leased; nothing was broken\n")
