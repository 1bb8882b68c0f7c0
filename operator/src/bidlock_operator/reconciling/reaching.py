"""Where the stores of a policy are: at the addresses of their pods, so that a server is reached before it is ready."""

from __future__ import annotations

from bidlock.migration.sight import Sight
from bidlock.modes import Role
from bidlock_operator.manifests import acl, agent, redis, redisconf
from bidlock_operator.manifests.platform import Platform
from bidlock_operator.observing import children as observed
from bidlock_operator.observing.children import Children
from bidlock_operator.observing.stores import Addresses, Links
from bidlock_operator.policies import Policy, Topology
from bidlock_operator.reconciling.credentials import Credentials
from bidlock_operator.reconciling.needing import Needs


async def addresses(policy: Policy, platform: Platform, children: Children, credentials: Credentials, needs: Needs) -> Addresses:
    """Where the stores are now; empty where there is no pod with an address.

    Raises:
        ValueError: a Secret that the policy names is missing or lacks a key.
        KubeError: the API server did not answer.
    """
    origin = await _origin(policy, children, credentials) if needs.agent else ""
    target = await _target(policy, platform, children, credentials) if needs.redis else ""
    return Addresses(origin, target, policy.lock.key_prefix, policy.owner)


async def explain(links: Links, sight: Sight, needs: Needs) -> None:
    """Find out why a store that is needed does not answer, and forget why one that answers did not."""
    answers = {Role.TARGET: all(bucket.reachable for bucket in sight.buckets), Role.ORIGIN: sight.origin.reachable}
    for role, needed in ((Role.TARGET, needs.redis), (Role.ORIGIN, needs.agent)):
        if needed and not answers[role]:
            await links.explain(role)
        else:
            links.well(role)


async def _origin(policy: Policy, children: Children, credentials: Credentials) -> str:
    host = observed.address(_agents(policy, children))
    return f"sqlite+http://:{await credentials.token(policy)}@{_bracketed(host)}:{agent.PORT}" if host else ""


def _agents(policy: Policy, children: Children) -> tuple[observed.Body, ...]:
    """Pods with the agent of the fleet's file; with a file per pod that of the first pod, which stays when there is only one."""
    if policy.sqlite.topology is Topology.SHARED_FILE:
        return children.component("agent")
    return tuple(pod for pod in children.component("bidder") if str(pod["metadata"]["name"]).endswith("-0"))


async def _target(policy: Policy, platform: Platform, children: Children, credentials: Credentials) -> str:
    if not policy.redis.managed:
        return await credentials.url(policy)
    host = observed.address(children.component("redis"))
    if not host:
        return ""
    user = f"{acl.OPERATOR}:{(await credentials.passwords(policy)).operator}"
    if not policy.redis.tls_secret:
        return f"redis://{user}@{_bracketed(host)}:{redisconf.port(policy)}/0"
    # The certificate names the Service, not the pod's address.
    return f"rediss://{user}@{redis.endpoint(policy, platform)}/0?ssl_ca_certs={await credentials.authority(policy)}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
