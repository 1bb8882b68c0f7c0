"""What URLs may say."""

from __future__ import annotations

import pytest

from bidlock.addresses import parse
from bidlock.backend import BackendConfig
from bidlock.errors import ConfigurationError
from bidlock_redis import options
from bidlock_redis.backend import RedisBackend
from bidlock_redis.options import Options


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://", Options("tcp", (("localhost", 6379),))),
        ("redis://h", Options("tcp", (("h", 6379),))),
        ("valkey://h:7000/3", Options("tcp", (("h", 7000),), db=3)),
        ("redis://[::1]:7000", Options("tcp", (("::1", 7000),))),
        ("redis://u:p%40ss@h", Options("tcp", (("h", 6379),), username="u", password="p@ss")),
        ("redis://:secret@h", Options("tcp", (("h", 6379),), password="secret")),
        ("redis://h?prefix=fleet&proxied=1", Options("tcp", (("h", 6379),), prefix="fleet", proxied=True)),
        ("redis://h?wait_replicas=2", Options("tcp", (("h", 6379),), wait_replicas=2)),
        ("rediss://h", Options("tcp", (("h", 6379),), tls={"ssl_check_hostname": True})),
        (
            "valkeys://h?ssl_ca_certs=/ca.pem&ssl_certfile=/c.pem&ssl_keyfile=/k.pem&ssl_check_hostname=0",
            Options(
                "tcp",
                (("h", 6379),),
                tls={"ssl_ca_certs": "/ca.pem", "ssl_certfile": "/c.pem", "ssl_keyfile": "/k.pem", "ssl_check_hostname": False},
            ),
        ),
        ("redis+unix:///run/redis.sock?db=2", Options("unix", path="/run/redis.sock", db=2)),
        ("redis+unix://u:p@/run/redis.sock", Options("unix", path="/run/redis.sock", username="u", password="p")),
        ("redis+sentinel://a,b:5000/fleet/1", Options("sentinel", (("a", 26379), ("b", 5000)), service="fleet", db=1)),
        (
            "redis+sentinel://u:p@a/fleet?sentinel_username=su&sentinel_password=sp",
            Options(
                "sentinel", (("a", 26379),), service="fleet", username="u", password="p", sentinel_username="su", sentinel_password="sp"
            ),
        ),
        ("redis+cluster://a:1,b:2", Options("cluster", (("a", 1), ("b", 2)))),
        ("redis+cluster://a?tls=1", Options("cluster", (("a", 6379),), tls={"ssl_check_hostname": True})),
    ],
)
def test_a_url_is_read(url: str, expected: Options):
    assert options.read(parse(url)) == expected


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("redis://h?ttl=3", "does not know the option ttl; it knows prefix, proxied, wait_replicas"),
        ("redis://h?ssl_ca_certs=x", "does not know the option ssl_ca_certs"),
        ("redis://a,b", "takes one host"),
        ("redis://h/zero", "database 'zero' is no number"),
        ("redis://h/1/2", "is no database"),
        ("redis://h?proxied=perhaps", "proxied=perhaps is neither 1 nor 0"),
        ("redis://h?wait_replicas=-1", "wait_replicas '-1' is no number"),
        ("redis://h?prefix=a:b", "prefix 'a:b' must be"),
        ("redis+unix://", "needs the socket's path"),
        ("redis+unix://host/run/redis.sock", "names a path and no host"),
        ("redis+sentinel://a", "needs the master's name"),
        ("redis+sentinel://a/m?ssl_ca_certs=x", "ssl_ca_certs without TLS; add tls=1"),
        ("redis+cluster://a/1", "a cluster has only 0"),
    ],
)
def test_a_url_that_cannot_work_says_what_to_change(url: str, message: str):
    with pytest.raises(ConfigurationError) as refusal:
        options.read(parse(url))
    assert message in str(refusal.value)


def test_passwords_are_never_shown():
    read = options.read(parse("redis+sentinel://u:hidden1@a/fleet?sentinel_password=hidden2"))
    assert "hidden" not in repr(read)


def test_original_keys_are_refused_on_a_cluster():
    with pytest.raises(ConfigurationError, match="does not work on a cluster"):
        RedisBackend(BackendConfig(parse("redis+cluster://a"), original_keys=True))
