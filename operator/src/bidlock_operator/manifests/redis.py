"""Redis, one server on one volume.

The volume is a claim of its own, not one of the StatefulSet's templates: those cannot be changed, and a volume has to be
able to grow. The update strategy is OnDelete: the operator seals the store, and only then deletes the pod.
"""

from __future__ import annotations

from typing import Any

from bidlock_operator.manifests import acl, naming, networks, objects, pods, redisconf
from bidlock_operator.manifests.acl import Passwords
from bidlock_operator.manifests.platform import Platform
from bidlock_operator.policies import Durability, Policy

USER = 999
"""Of the server in the official images of Redis and Valkey."""

GRACE = 30
"""Seconds for the last writes and the end of the append-only file."""

START = """\
set -eu
umask 0077
server=$(command -v valkey-server || command -v redis-server) || {
  echo 'neither valkey-server nor redis-server is in this image; name another one in spec.redis.image' >&2
  exit 127
}
command -v flock >/dev/null || {
  echo 'flock is not in this image (the official ones have it); name another one in spec.redis.image' >&2
  exit 127
}
exec 9>>/data/bidlock.lock
until flock -n 9; do
  echo 'another server has this volume; waiting until it ends' >&2
  sleep 1
done
exec "$server" /etc/bidlock/server/redis.conf
"""
"""Takes the lock of the volume and becomes the server, which keeps the descriptor, and so the lock, until it has ended."""


def children(policy: Policy, platform: Platform, passwords: Passwords, certificate: str = "") -> list[dict[str, Any]]:
    """Everything that a managed Redis consists of, except the Secret of passwords: that one is made once.

    Args:
        policy: With `redis.mode` Standalone.
        platform: Where it runs.
        passwords: Of its users, from the policy's Secret or the generated one.
        certificate: Names the one it shows; another one is read at a restart only. Empty without TLS.
    """
    users = acl.render(policy.lock.key_prefix, passwords)
    return [
        claim(policy),
        objects.child(policy, "v1", "ConfigMap", naming.redis(policy), objects.REDIS, data={"redis.conf": redisconf.render(policy)}),
        objects.secret(policy, naming.redis_users(policy), objects.REDIS, {"users.acl": users}),
        service(policy),
        networks.let_in(
            policy,
            naming.redis(policy),
            objects.REDIS,
            redisconf.port(policy),
            [networks.bidders(policy), networks.operator(platform)],
        ),
        budget(policy),
        server(policy, platform, naming.fingerprint([redisconf.render(policy), users, *filter(None, [certificate])])),
    ]


def passwords_secret(policy: Policy, passwords: Passwords) -> dict[str, Any]:
    """The Secret of generated passwords; created once, never applied over an older one."""
    return objects.secret(policy, naming.redis_passwords(policy), objects.REDIS, passwords.data())


def endpoint(policy: Policy, platform: Platform) -> str:
    """Where bidders reach it, host:port."""
    return f"{naming.service_host(policy, naming.redis(policy), platform.cluster_domain)}:{redisconf.port(policy)}"


def claim(policy: Policy) -> dict[str, Any]:
    """The volume."""
    storage = policy.redis.storage
    spec = objects.claim_spec(storage.size, storage.storage_class_name, storage.access_mode)
    return objects.claim(policy, naming.redis_claim(policy), objects.REDIS, spec)


def service(policy: Policy) -> dict[str, Any]:
    """Its address; a server that is loading or waits to be opened answers for itself, so it is not hidden."""
    return objects.child(
        policy,
        "v1",
        "Service",
        naming.redis(policy),
        objects.REDIS,
        spec={
            "selector": objects.selector(policy, objects.REDIS),
            "publishNotReadyAddresses": True,
            "ports": [{"name": "redis", "port": redisconf.port(policy), "targetPort": "redis", "protocol": "TCP"}],
        },
    )


def budget(policy: Policy) -> dict[str, Any]:
    """A durable server may be evicted, it is open again within a second; one that is not must be sealed first."""
    durable = policy.redis.durability is Durability.STRICT
    return objects.child(
        policy,
        "policy/v1",
        "PodDisruptionBudget",
        naming.redis(policy),
        objects.REDIS,
        spec={
            "maxUnavailable": 1 if durable else 0,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": objects.selector(policy, objects.REDIS)},
        },
    )


def server(policy: Policy, platform: Platform, revision: str) -> dict[str, Any]:
    """The StatefulSet of one pod.

    Args:
        policy: What is asked for.
        platform: Where it runs.
        revision: Changes with what the pod reads from its ConfigMap and its Secret.
    """
    return objects.child(
        policy,
        "apps/v1",
        "StatefulSet",
        naming.redis(policy),
        objects.REDIS,
        spec={
            "serviceName": naming.redis(policy),
            "replicas": 1,
            "updateStrategy": {"type": "OnDelete"},
            "selector": {"matchLabels": objects.selector(policy, objects.REDIS)},
            "template": {
                "metadata": {
                    "labels": objects.labels(policy, objects.REDIS),
                    "annotations": {objects.CONFIG_ANNOTATION: revision},
                },
                "spec": _pod(policy, platform),
            },
        },
    )


def _pod(policy: Policy, platform: Platform) -> dict[str, Any]:
    secrets = [{"name": name} for name in policy.redis.image_pull_secrets]
    return {
        **policy.redis.scheduling,
        **({"imagePullSecrets": secrets} if secrets else {}),
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE,
        "securityContext": pods.security(USER, USER),
        "containers": [_container(policy, platform)],
        "volumes": _volumes(policy),
    }


def _container(policy: Policy, platform: Platform) -> dict[str, Any]:
    return {
        "name": "redis",
        "image": policy.redis.image or platform.redis_image,
        **pods.pulled(platform.image_pull_policy),
        "command": ["/bin/sh", "-c", START],
        "ports": [{"name": "redis", "containerPort": redisconf.port(policy), "protocol": "TCP"}],
        "env": [pods.from_secret("REDISCLI_AUTH", naming.redis_passwords(policy), acl.PROBE)],
        "resources": dict(policy.redis.resources),
        "securityContext": pods.CONTAINER_SECURITY,
        # A large append-only file takes long to load; as long as it loads, nobody may kill the server for it.
        "startupProbe": pods.probe(_asking(policy, "PONG"), every=2, failures=1800),
        "readinessProbe": pods.probe(_asking(policy, "PONG"), every=5, failures=3),
        # Any answer is a sign of life.
        "livenessProbe": pods.probe(_asking(policy, "PONG|LOADING*|BUSY*|OOM*|MISCONF*|ERR*"), every=10, failures=6, timeout=10),
        "volumeMounts": [
            {"name": "data", "mountPath": redisconf.DATA},
            {"name": "server", "mountPath": "/etc/bidlock/server", "readOnly": True},
            {"name": "users", "mountPath": "/etc/bidlock/users", "readOnly": True},
            *([{"name": "tls", "mountPath": redisconf.TLS, "readOnly": True}] if policy.redis.tls_secret else []),
        ],
    }


def _asking(policy: Policy, wanted: str) -> dict[str, Any]:
    """Ask as the user who may do nothing but ask. That the store is not open yet does not matter here."""
    tls = f" --tls --cacert {redisconf.TLS}/ca.crt" if policy.redis.tls_secret else ""
    ask = (
        "cli=$(command -v valkey-cli || command -v redis-cli) && "
        f'case "$($cli{tls} -h 127.0.0.1 -p {redisconf.port(policy)} --user {acl.PROBE} --no-auth-warning ping)" in {wanted}) ;; *) exit 1 ;; esac'
    )
    return {"exec": {"command": ["/bin/sh", "-c", ask]}}


def _volumes(policy: Policy) -> list[dict[str, Any]]:
    mounted = [
        {"name": "data", "persistentVolumeClaim": {"claimName": naming.redis_claim(policy)}},
        {"name": "server", "configMap": {"name": naming.redis(policy)}},
        {"name": "users", "secret": {"secretName": naming.redis_users(policy), "defaultMode": 0o440}},
    ]
    if policy.redis.tls_secret:
        mounted.append({"name": "tls", "secret": {"secretName": policy.redis.tls_secret, "defaultMode": 0o440}})
    return mounted
