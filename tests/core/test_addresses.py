import pytest

from bidlock import ConfigurationError
from bidlock.addresses import parse


@pytest.mark.parametrize(
    ("url", "scheme", "hosts", "path", "options"),
    [
        ("redis://localhost", "redis", (("localhost", 0),), "", {}),
        ("REDIS://h:6380/2", "redis", (("h", 6380),), "/2", {}),
        (
            "redis+sentinel://s1:26379,s2,[::1]:26380/mymaster/0?x=1",
            "redis+sentinel",
            (("s1", 26379), ("s2", 0), ("::1", 26380)),
            "/mymaster/0",
            {"x": "1"},
        ),
        ("redis://h?db=3", "redis", (("h", 0),), "", {"db": "3"}),
        ("sqlite:///bids.db", "sqlite", (), "/bids.db", {}),
        ("sqlite:////data/b%20c.db?synchronous=FULL", "sqlite", (), "//data/b c.db", {"synchronous": "FULL"}),
        ("redis+unix:///run/redis.sock", "redis+unix", (), "/run/redis.sock", {}),
        ("memory://", "memory", (), "", {}),
    ],
)
def test_a_url_is_taken_apart(url, scheme, hosts, path, options):
    address = parse(url)

    assert (address.scheme, address.hosts, address.path, address.options) == (scheme, hosts, path, options)


def test_credentials_are_decoded_and_never_shown():
    address = parse("rediss://bot:p%40ss%2Fw@h:1/0?ssl_password=hidden")

    assert (address.username, address.password) == ("bot", "p@ss/w")
    assert "p@ss" not in str(address) + repr(address)
    assert "hidden" not in str(address)
    assert str(address) == "rediss://bot:***@h:1/0?ssl_password=***"


@pytest.mark.parametrize(
    "url", ["", "redis", "localhost:6379", "://x", "redis://u:secret@h:port/0", "redis://u:secret@h:99999", "u:secret@h"]
)
def test_a_malformed_url_is_refused_without_showing_its_password(url):
    with pytest.raises(ConfigurationError) as refused:
        parse(url)

    assert "secret" not in str(refused.value)
