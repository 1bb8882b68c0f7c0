"""What is written down about a policy: its status, and each decision as a line of the log, a count, and an event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from bidlock.migration import actions, telling
from bidlock_operator import resources
from bidlock_operator.acting import recording
from bidlock_operator.acting.events import Events
from bidlock_operator.kube.errors import Conflict
from bidlock_operator.observing.news import Place
from bidlock_operator.reconciling import reporting
from bidlock_operator.reconciling.ground import Ground
from bidlock_operator.reconciling.scenes import Scene

log = structlog.stdlib.get_logger("bidlock_operator.policy")


class Journal:
    """Of one policy. Knows our own last write before a watch tells it."""

    def __init__(self, ground: Ground, place: Place) -> None:
        self._ground = ground
        self._place = place
        self._events = Events(ground.kube)
        self._mine: Mapping[str, Any] | None = None

    @property
    def shown(self) -> str:
        """The policy, as in a line of the log."""
        return "/".join(self._place)

    def newest(self) -> Mapping[str, Any] | None:
        """What the watch told, or what our own last write gave back, whichever is newer; None when the policy is gone."""
        told, mine = self._ground.news.latest(self._place), self._mine
        if told is None or mine is None or mine["metadata"]["uid"] != told["metadata"]["uid"]:
            return told
        return mine if int(mine["metadata"]["resourceVersion"]) > int(told["metadata"]["resourceVersion"]) else told

    async def record(self, scene: Scene, status: Mapping[str, Any]) -> None:
        """Write a status onto the version that was seen.

        Raises:
            KubeError: it was not written, or nobody knows.
        """
        kube = self._ground.kube
        try:
            self._mine = await recording.record(kube, scene.body, self._signed(status))
        except Conflict:
            self._mine = await kube.get(resources.POLICY, scene.policy.namespace, scene.policy.name)  # the watch may be long in telling
            raise

    async def record_news(self, scene: Scene, status: Mapping[str, Any]) -> None:
        """Write a status if it differs from what the policy has.

        Raises:
            KubeError: it was not written, or nobody knows.
        """
        if recording.differs(scene.body, self._signed(status)):
            await self.record(scene, status)

    async def tell(self, scene: Scene, action: actions.Action, result: str) -> None:
        """A decision becomes a line of the log, a count, and an event where a human cares."""
        self._ground.metrics.actions.labels(*self._place, type(action).__name__, result if result.isupper() else "failed").inc()
        if not isinstance(action, actions.Rest):
            register = scene.remembered.register
            step = f"{register.source}-{register.to}" if register else ""
            log.info("did", policy=self.shown, transition=step, decision=telling.sentence(action), result=result)
        if happening := reporting.happening(action):
            await self._events.tell(scene.body, happening)

    async def warn(self, scene: Scene, reason: str, message: str) -> None:
        """What has to be cured becomes an event."""
        await self._events.tell(scene.body, reporting.warning(reason, message))

    def _signed(self, status: Mapping[str, Any]) -> dict[str, Any]:
        return {**status, "operatorEpoch": self._ground.epoch()}
