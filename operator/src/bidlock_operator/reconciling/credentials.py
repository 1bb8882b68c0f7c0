"""The secrets of one policy: made once where the operator makes them, read where a human brings them."""

from __future__ import annotations

import base64
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bidlock_operator.kube.client import Kube
from bidlock_operator.kube.errors import AlreadyExists, NotFound
from bidlock_operator.kube.kinds import SECRET
from bidlock_operator.manifests import agent, naming, redis
from bidlock_operator.manifests.acl import Passwords
from bidlock_operator.policies import Policy, SecretKey

FRESH = 30.0
"""Seconds for which a Secret that was read is believed."""


class Credentials:
    """Reads Secrets by name, and remembers them for a while: listing them would need a right to read all."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._read: dict[str, tuple[float, Mapping[str, str]]] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def close(self) -> None:
        """Remove the files."""
        if self._folder:
            self._folder.cleanup()
            self._folder = None

    async def passwords(self, policy: Policy) -> Passwords:
        """Of the users of a managed Redis.

        Raises:
            ValueError: the Secret that the policy names is missing or lacks a key; says what to do.
            KubeError: the API server did not answer.
        """
        name = naming.redis_passwords(policy)
        make = None if policy.redis.auth_secret else lambda: redis.passwords_secret(policy, Passwords.generate())
        try:
            return Passwords.read(await self._data(policy.namespace, name, make))
        except ValueError as error:
            raise ValueError(f"Secret {name}: {error}") from None

    async def token(self, policy: Policy) -> str:
        """Of the SQLite agent."""
        name = naming.agent_token(policy)
        data = await self._data(policy.namespace, name, lambda: agent.token_secret(policy, agent.generate_token()))
        return data[agent.TOKEN_KEY]

    async def url(self, policy: Policy) -> str:
        """Of an External Redis, as the operator reaches it; raises as `passwords` does."""
        assert policy.redis.external is not None  # noqa: S101 — the definition requires it with External
        return await self._value(policy, policy.redis.external.operator_url)

    async def authority(self, policy: Policy) -> Path:
        """A file with the authority that signed Redis's certificate; another one has another name. Raises as `passwords` does."""
        text = await self._value(policy, SecretKey(policy.redis.tls_secret, "ca.crt"))
        self._folder = self._folder or tempfile.TemporaryDirectory(prefix="bidlock-")
        file = Path(self._folder.name) / f"{naming.fingerprint([text])}.crt"
        if not file.exists():
            file.write_text(text)
        return file

    async def certificate(self, policy: Policy) -> str:
        """Changes when Redis's certificate does; empty without TLS. Raises as `passwords` does."""
        if not policy.redis.tls_secret:
            return ""
        return naming.fingerprint([await self._value(policy, SecretKey(policy.redis.tls_secret, "tls.crt"))])

    async def revision(self, policy: Policy) -> str:
        """Changes when bidders must be replaced to learn of another password or URL. Raises as `passwords` does."""
        external = policy.redis.external
        known = await self._value(policy, external.url) if external else (await self.passwords(policy)).bidder
        return naming.fingerprint([known])

    async def _value(self, policy: Policy, secret: SecretKey) -> str:
        value = (await self._data(policy.namespace, secret.name, None)).get(secret.key, "").strip()
        if not value:
            raise ValueError(f"Secret {secret.name} has no key {secret.key!r}; put it there")
        return value

    async def _data(self, namespace: str, name: str, make: Callable[[], Mapping[str, Any]] | None) -> Mapping[str, str]:
        read_at, data = self._read.get(name, (0.0, {}))
        if data and time.monotonic() - read_at < FRESH:
            return data
        body = await self._kube.get(SECRET, namespace, name) or await self._made(namespace, name, make)
        data = {key: base64.b64decode(value).decode() for key, value in (body.get("data") or {}).items()}
        self._read[name] = (time.monotonic(), data)
        return data

    async def _made(self, namespace: str, name: str, make: Callable[[], Mapping[str, Any]] | None) -> Mapping[str, Any]:
        if make is None:
            raise ValueError(f"Secret {name} is not there; create it, or correct its name in the policy")
        try:
            return await self._kube.create(SECRET, namespace, make())
        except AlreadyExists:
            found = await self._kube.get(SECRET, namespace, name)
            if found is None:
                raise NotFound(f"Secret {name} is gone again") from None
            return found
