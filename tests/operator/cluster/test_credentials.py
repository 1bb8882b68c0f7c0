"""Secrets of a policy on a real API server, and the addresses that are made of them."""

from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from simulation import world

from bidlock_operator import policies
from bidlock_operator.kube.client import Kube
from bidlock_operator.kube.kinds import SECRET
from bidlock_operator.manifests.platform import Platform
from bidlock_operator.observing.children import Children
from bidlock_operator.reconciling import reaching
from bidlock_operator.reconciling.credentials import Credentials
from bidlock_operator.reconciling.needing import Needs

PASSWORDS = {"bidder": "b" * 16, "operator": "o" * 16, "probe": "p" * 16}


@pytest.fixture
def kube_client(transport):
    return Kube(transport, manager="human")


@pytest.fixture
def credentials(transport):
    made = Credentials(Kube(transport))
    yield made
    made.close()


@pytest.fixture
def policy(namespace):
    def make(**redis):
        spec = {"phase": "RedisOnly", "bidder": {"template": {}}, "redis": redis}
        return policies.read({"metadata": {"namespace": namespace, "name": "arbitrage", "uid": "u"}, "spec": spec})

    return make


async def keep(kube, namespace, name, **data):
    """Create a Secret, or replace it."""
    await kube.delete(SECRET, namespace, name)
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "data": encoded}
    await kube.create(SECRET, namespace, body)


def pod(component, address):
    labels = {"bidlock.io/policy": "arbitrage", "app.kubernetes.io/component": component}
    return {"kind": "Pod", "metadata": {"name": component, "labels": labels}, "status": {"podIP": address}}


async def target(policy, credentials):
    children = Children(pods=(pod("redis", "10.1.2.3"),))
    found = await reaching.addresses(policy, Platform(), children, credentials, Needs(redis=True, agent=False))
    return found.target


async def test_redis_is_reached_at_its_pods_address(policy, credentials, kube_client, namespace):
    await keep(kube_client, namespace, "mine", **PASSWORDS)

    assert await target(policy(auth={"secretName": "mine"}), credentials) == f"redis://operator:{'o' * 16}@10.1.2.3:6379/0"


async def test_with_tls_redis_is_reached_by_the_name_in_its_certificate_and_verified(policy, credentials, kube_client, namespace):
    await keep(kube_client, namespace, "mine", **PASSWORDS)
    await keep(kube_client, namespace, "tls", **{"ca.crt": "the authority"})

    url = urlsplit(await target(policy(auth={"secretName": "mine"}, tls={"secretName": "tls"}), credentials))

    assert (url.scheme, url.hostname, url.port) == ("rediss", f"arbitrage-redis.{namespace}.svc.cluster.local", 6380)
    (file,) = parse_qs(url.query)["ssl_ca_certs"]
    assert content(file) == "the authority"
    credentials.close()
    assert content(file) is None


def content(file):
    path = Path(file)
    return path.read_text() if path.exists() else None


async def test_passwords_are_made_once(credentials, transport, namespace):
    """Of a policy that is there: the garbage collector deletes a Secret whose owner does not exist."""
    there = policies.read(await world.Fleet(transport, world.policy(namespace)).create())
    made = await credentials.passwords(there)

    assert await Credentials(Kube(transport)).passwords(there) == made


@pytest.mark.parametrize("redis", [{"auth": {"secretName": "mine"}}, {"tls": {"secretName": "mine"}}], ids=str)
async def test_a_secret_that_is_not_there_is_named(policy, credentials, redis):
    with pytest.raises(ValueError, match=r"Secret mine.* is not there; create it"):
        await target(policy(**redis), credentials)


async def test_a_secret_that_lacks_a_key_is_named(policy, credentials, kube_client, namespace):
    await keep(kube_client, namespace, "mine", **{**PASSWORDS, "operator": ""})

    with pytest.raises(ValueError, match="Secret mine: key 'operator' must be letters and digits"):
        await target(policy(auth={"secretName": "mine"}), credentials)


async def test_another_password_of_the_bidders_is_another_revision(policy, kube_client, transport, namespace):
    revisions = []
    for bidder in ("b" * 16, "c" * 16, "c" * 16):
        await keep(kube_client, namespace, "mine", **{**PASSWORDS, "bidder": bidder})
        revisions.append(await Credentials(Kube(transport)).revision(policy(auth={"secretName": "mine"})))

    assert revisions[0] != revisions[1] == revisions[2]
