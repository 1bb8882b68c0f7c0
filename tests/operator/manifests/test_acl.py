"""Who may do what in a managed Redis."""

from __future__ import annotations

import re
from importlib import resources

import pytest

from bidlock_operator.manifests import acl


def called():
    folder = resources.files("bidlock_redis") / "lua"
    scripts = "\n".join(script.read_text() for script in folder.iterdir() if script.name.endswith(".lua"))
    return {command.lower() for command in re.findall(r"redis\.p?call\('([A-Z]+)'", scripts)}


def test_users_may_run_what_the_scripts_call_and_what_sends_them_and_nothing_else():
    """Locks and migrations are run on a real server by `test_redis_server.py`; this finds what is too much."""
    assert set(acl.SCRIPTED) - called() == {"eval", "evalsha", "ping", "wait"}
    assert called() <= set(acl.SCRIPTED)


def test_a_secret_of_passwords_is_read():
    data = {"bidder": "a" * 16, "operator": "b" * 16, "probe": "c" * 16}

    assert acl.Passwords.read(data).data() == data


@pytest.mark.parametrize("bad", ["", "short", "with/slash/and:colon", "umlautä" * 4], ids=["missing", "short", "of a URL", "no ASCII"])
def test_a_password_that_cannot_work_is_refused_by_its_key(bad):
    with pytest.raises(ValueError, match="key 'operator' must be letters and digits"):
        acl.Passwords.read({"bidder": "a" * 16, "operator": bad, "probe": "c" * 16})


def test_generated_passwords_are_accepted_and_differ():
    passwords = acl.Passwords.generate()

    assert acl.Passwords.read(passwords.data()) == passwords
    assert len({*passwords.data().values(), *acl.Passwords.generate().data().values()}) == 6


def test_a_password_is_not_in_a_repr():
    assert "a" * 16 not in repr(acl.Passwords("a" * 16, "b" * 16, "c" * 16))
