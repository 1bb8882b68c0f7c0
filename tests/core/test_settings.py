import pytest

from bidlock import ConfigurationError, connect
from bidlock.settings import Settings


def test_settings_come_from_the_environment():
    settings = Settings.read(
        {"BIDLOCK_URL": "redis://h", "BIDLOCK_TTL": "60", "BIDLOCK_BUCKETS": "8", "BIDLOCK_ORIGINAL_KEYS": "yes", "BIDLOCK_MODE": ""}
    )

    assert (settings.url, settings.ttl, settings.buckets, settings.original_keys, settings.mode) == ("redis://h", 60.0, 8, True, "")


def test_an_argument_overrules_the_environment():
    assert Settings.read({"BIDLOCK_TTL": "60"}, ttl=30.0).ttl == 30.0


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"BIDLOCK_TTL": "soon"}, "BIDLOCK_TTL='soon' is no number"),
        ({"BIDLOCK_TTL": "0"}, "ttl must be more than 0 seconds"),
        ({"BIDLOCK_TTL": "nan"}, "ttl must be more than 0 seconds"),
        ({"BIDLOCK_MARGIN": "-1"}, "margin must be 0 seconds or more"),
        ({"BIDLOCK_BUCKETS": "0"}, "buckets must be from 1"),
        ({"BIDLOCK_MODE": "both"}, "mode 'both' does not exist; choose one of sqlite, dual"),
        ({"BIDLOCK_PREFIX": "a{b"}, "prefix 'a{b' must be"),
        ({"BIDLOCK_HOLDER": "a|b"}, "holder 'a|b' must be"),
        ({"BIDLOCK_ORIGINAL_KEYS": "maybe"}, "is neither 1 nor 0"),
    ],
)
def test_a_bad_value_is_refused_by_name(environment, says):
    with pytest.raises(ConfigurationError, match=says):
        Settings.read(environment)


def test_a_password_in_the_url_is_not_in_the_repr():
    assert "secret" not in repr(Settings(url="redis://:secret@h"))


@pytest.mark.parametrize(
    ("url", "environment", "settings", "says"),
    [
        (None, {}, {}, "no store is configured; set BIDLOCK_URL"),
        ("memory://x", {}, {"tll": 3}, "unknown setting tll"),
        ("memory://x", {}, {"ttl": "300"}, "ttl must be more than 0 seconds, not '300'"),
        ("memory://x", {}, {"margin": "1"}, "margin must be 0 seconds or more, not '1'"),
        ("nosuch://x", {}, {}, "no backend serves nosuch://; loaded are: .*memory"),
        ("memory://x", {}, {"mode": "dual"}, "mode 'dual' needs two stores"),
        ("memory://x", {}, {"mode": "sqlite"}, "does not fit a memory store"),
        ("memory://x", {"BIDLOCK_POLICY": "p"}, {}, "its store comes from BIDLOCK_URL"),
        (None, {"BIDLOCK_POLICY": "p", "BIDLOCK_URL": "memory://x"}, {"policy": ""}, "cannot leave it"),
    ],
)
def test_a_client_that_cannot_work_is_refused_with_what_to_change(url, environment, settings, says):
    with pytest.raises(ConfigurationError, match=says):
        connect(url, environment=environment, **settings)
