import pytest

from bidlock import BackendAmbiguous, BackendUnavailable, ConfigurationError, InvalidPosting, LeaseLost, NotAcquired
from bidlock.cli import failures, logs
from bidlock.cli.exit_codes import ExitCode


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotAcquired(reason="held"), ExitCode.NOT_ACQUIRED),
        (NotAcquired(reason="unreachable"), ExitCode.UNREACHABLE),
        (BackendUnavailable(), ExitCode.UNREACHABLE),
        (BackendAmbiguous(), ExitCode.UNREACHABLE),
        (ConfigurationError(), ExitCode.CONFIGURATION),
        (LeaseLost(), ExitCode.LOST),
        (InvalidPosting(), ExitCode.USAGE),
        (RuntimeError("boom"), ExitCode.UNEXPECTED),
    ],
)
def test_every_kind_of_error_has_its_exit_code(error, code):
    assert failures.exit_code(error) is code


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["inspect", "a:b"], 5, "set BIDLOCK_URL"),
        (["inspect", "--url", "postgres://db/x", "a:b"], 5, "no backend serves postgres://"),
        (["inspect", "--url", "nonsense", "a:b"], 5, "is no store URL"),
        (["inspect", "--url", "redis://:secret@host:99999/0", "a:b"], 5, "no number from 1 to 65535"),
        (["inspect", "--url", "memory://", "ab"], 2, "'ab' has no colon"),
        (["inspect", "--url", "memory://", ":b"], 2, "the marketplace is empty"),
        (["inspect", "--url", "memory://", "a:"], 2, "the posting id is empty"),
        (["inspect", "--url", "memory://", "a:" + "x" * 5000], 2, "longer than 4096 bytes"),
        (["inspect", "--url", "memory://", "--prefix", "{", "a:b"], 5, "prefix"),
        (["bogus"], 2, "No such command 'bogus'"),
        (["once", "--url", "memory://", "a:b"], 2, "Missing argument"),
    ],
)
def test_bad_input_is_answered_with_one_line_and_never_with_a_traceback(cli, arguments, code, says):
    ran = cli(*arguments)

    assert ran.code == code
    assert says in ran.err
    assert "Traceback" not in ran.err
    assert "secret" not in ran.err


def test_an_unexpected_error_is_one_line_too(cli, monkeypatch):
    monkeypatch.setattr("bidlock.cli.plugins.core.load", lambda: 1 / 0)

    ran = cli("plugins")

    assert (ran.code, ran.err) == (1, "bidlock: unexpected ZeroDivisionError: division by zero; set BIDLOCK_DEBUG=1 to see where\n")


def test_the_traceback_is_shown_on_request(cli, monkeypatch):
    monkeypatch.setenv("BIDLOCK_DEBUG", "1")
    monkeypatch.setattr("bidlock.cli.plugins.core.load", lambda: 1 / 0)

    assert "Traceback" in cli("plugins").err


@pytest.mark.parametrize("url", ["redis://user:secret@host/0", "redis://:secret@host/0"])
def test_a_password_in_any_message_is_hidden(url):
    assert "secret" not in failures.sentence(RuntimeError(f"cannot reach {url}"))


def test_a_policy_of_the_environment_is_not_left_by_an_option(cli, monkeypatch):
    monkeypatch.setenv("BIDLOCK_POLICY", "fleet")
    monkeypatch.setenv("BIDLOCK_URL", "memory://fleet")

    ran = cli("once", "--url", "memory://mine", "upwork:1", "--", "true")

    assert ran.code == 5
    assert "belongs to policy 'fleet'" in ran.err


def test_a_policy_of_the_environment_is_followed(cli, monkeypatch):
    monkeypatch.setenv("BIDLOCK_POLICY", "fleet")
    monkeypatch.setenv("BIDLOCK_URL", "memory://managed-and-not-open")

    ran = cli("once", "upwork:1", "--", "true")

    assert (ran.code, ran.err) == (3, "bidlock: skipped: closed\n")


@pytest.mark.parametrize(
    ("event", "line"),
    [
        ({"event": "store out of reach"}, "store out of reach"),
        ({"event": "store out of reach", "role": "target", "tries": 3}, "store out of reach (role target, tries 3)"),
        ({"event": "cannot reach", "url": "redis://u:secret@h"}, "cannot reach (url redis://u:***@h)"),
        ({"event": "oops", "exception": "Traceback …"}, "oops\nTraceback …"),
    ],
)
def test_a_warning_is_one_line_with_its_facts(event, line):
    assert logs.one_line(None, "warning", event) == line
