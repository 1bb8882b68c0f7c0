"""The operator's own life: credentials, its pages, the election, its rights. Policies come later, and only to the leader."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import structlog

from bidlock import plugins
from bidlock_operator import preflight, resources, threads
from bidlock_operator.election import Election, Timing
from bidlock_operator.kube.client import Kube
from bidlock_operator.kube.connecting import connected
from bidlock_operator.kube.counting import Counting
from bidlock_operator.kube.errors import Conflict, Forbidden, KubeError
from bidlock_operator.manifests.platform import Platform
from bidlock_operator.metrics import Metrics
from bidlock_operator.observing.children import WATCHED
from bidlock_operator.observing.copies import Copies, looked_after
from bidlock_operator.observing.news import News, Place
from bidlock_operator.pulses import Pulse, silent
from bidlock_operator.reconciling import adopting, ending, freeing, loop
from bidlock_operator.reconciling.ground import Ground, Paces
from bidlock_operator.serving import served
from bidlock_operator.settings import Settings

log = structlog.stdlib.get_logger("bidlock_operator")

PATIENCE = 5.0
"""Seconds between two looks whether a missing right was given."""

LEAVING = 8.0
"""Longest time for the last things a leader does, seconds; a pod has half a minute to end."""

STALE = 3
"""Times `watch_silence` without a word from the server after which a watch makes the operator not ready."""

STUCK = 300.0
"""Seconds without a turn after which something stands still: a pass over a policy and the life of a watch are much shorter."""


class Operator:
    """What lives as long as the process."""

    def __init__(self, settings: Settings, *, namespaces: tuple[str, ...] = (), timing: Timing | None = None) -> None:
        """Nothing is done yet.

        Args:
            settings: The operator's own.
            namespaces: Where it works; none for everywhere.
            timing: Of the election.
        """
        self.settings = settings
        self.metrics = Metrics()
        self.missing: list[preflight.Missing] = []
        self._namespaces = namespaces
        self._served: tuple[str, ...] = ()
        self._timing = timing or Timing()
        self._stack = AsyncExitStack()
        self._waits_for = "the operator starts"
        self._kube: Kube | None = None
        self._election: Election | None = None
        self._thread: threads.Thread | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._asking: asyncio.Task[None] | None = None
        self._adopting: asyncio.Task[None] | None = None
        self._plugins = plugins.load()
        self.port = 0
        self.news = News()
        self._turns, self._heard = Pulse(), Pulse()
        self.cache = Copies(self.news, turns=self._turns, heard=self._heard)

    @property
    def kube(self) -> Kube:
        """The client; there once the operator began."""
        assert self._kube is not None  # noqa: S101 — begin() comes first
        return self._kube

    @property
    def epoch(self) -> int:
        """The leader's; higher than that of every leader before."""
        return self._election.epoch if self._election else 0

    @property
    def leading(self) -> bool:
        """Whether this process may act now."""
        return self._election is not None and self._election.leading

    async def begin(self) -> None:
        """Return when this replica leads and has its rights; a standby waits in here.

        Raises:
            ConfigurationError: a page's port is taken.
            ClusterUnreachable: no usable credentials, or no API server behind them.
        """
        try:
            await self._begin()
        except BaseException:
            await self.end()
            raise

    async def end(self) -> None:
        """Give everything back, the Lease included."""
        await _cancelled(self._asking, self._adopting)
        await self.cache.end()
        await self._leave()
        await _cancelled(self._keeping)
        if self._election and self._thread:
            await self._thread.run(self._election.release())
        await self._stack.aclose()

    async def _leave(self) -> None:
        """Who is followed by nobody leaves no policy that waits for an operator."""
        if not self.leading:
            return
        try:
            async with asyncio.timeout(LEAVING):
                if await freeing.last(self.kube, self.settings.lease_namespace):
                    await asyncio.gather(*(self._free(namespace) for namespace in self._namespaces or ("",)))
        except (KubeError, TimeoutError) as error:
            log.warning("whether this is the last operator is not known, or policies still wait for it", error=str(error))

    async def _free(self, namespace: str) -> None:
        """Whatever is refused in one namespace holds up no other."""
        try:
            log.info("freed of the finalizer", policies=await freeing.free(self.kube, namespace))
        except Conflict:
            await self._free(namespace)
        except KubeError as error:
            log.warning("policies still wait for an operator", namespace=namespace, error=str(error))

    async def attend(self, place: Place, uid: str, *, stopped: Callable[[], bool], deleted: Callable[[], bool]) -> None:
        """Look after a policy until it is deleted, or the operator ends."""
        ground = Ground(
            kube=self.kube,
            cache=self.cache,
            news=self.news,
            metrics=self.metrics,
            platform=self._platform(),
            plugins=self._plugins,
            epoch=lambda: self.epoch,
            leading=lambda: self.leading,
            missing=lambda: self.missing,
            turns=self._turns,
            paces=Paces(rest=self.settings.resync),
        )
        while not (stopped() or self.cache.knows(place[0])):  # no policy is looked after before all that is its own is known
            self._turns.beat(looked_after(place))
            await self.news.wait(place, PATIENCE)
        await loop.live(ground, place, stopped)
        if deleted():
            await ending.end(ground, place, uid)
            if self.news.forget(place, uid):
                self.metrics.forget(*place)
                self._turns.forget(looked_after(place))

    def _platform(self) -> Platform:
        own = self.settings
        return Platform(
            redis_image=own.redis_image,
            agent_image=own.agent_image,
            image_pull_policy=own.image_pull_policy,
            cluster_domain=own.cluster_domain,
            operator_namespace=own.lease_namespace,
        )

    def wrong(self) -> str:
        """Why the operator does not do its work; empty when it does, or stands by."""
        ages = self._heard.ages()
        late = silent(ages, STALE * self.settings.watch_silence)
        told = f"nothing was heard of the API server by: {late}" if late else "" if ages else "the operator may watch nothing any more"
        return self._waits_for or (told if self.leading else "")

    def stuck(self) -> str:
        """What stands still in this process, and would go on after a restart; empty when nothing does."""
        late = silent(self._turns.ages(), STUCK + 2 * self.settings.resync)  # at rest a policy is looked at no oftener
        return f"stands still: {late}" if late else ""

    async def _begin(self) -> None:
        settings = self.settings
        transport = await self._stack.enter_async_context(connected(settings.api_timeout))
        version = await preflight.reach_cluster(transport, transport.host)
        self._kube = Kube(Counting(transport, self.metrics.requests))
        page = served(settings.http_host, settings.http_port, live=self.stuck, ready=self.wrong, metrics=self.metrics.text)
        self.port = await self._stack.enter_async_context(page)
        log.info("operator begins", server=transport.host, version=version, port=self.port)
        await self._lead()
        await self._await_rights()
        await self._look_around()

    async def _lead(self) -> None:
        """Lead from a thread of its own: however much there is to do for the policies, the Lease is renewed in time."""
        self._thread = await self._stack.enter_async_context(threads.started("lease"))
        transport = await self._thread.enter(self._stack, connected(self._timing.request))
        self._election = Election(Kube(transport), self.settings.lease_namespace, self.settings.lease_name, timing=self._timing)
        self._waits_for = ""  # a standby is ready: to take over
        await self._thread.run(self._election.won())
        self._waits_for = "the new leader looks around"
        self._keeping = asyncio.create_task(self._thread.run(self._election.keep()), name="lease")
        await self._thread.run(self._election.raise_above(await self._highest_epoch()))
        self.metrics.leader.set(1)

    async def _highest_epoch(self) -> int:
        """Of the policies' statuses: a Lease that was deleted counts anew, and they refuse a leader with a lower one."""
        while True:
            with contextlib.suppress(KubeError):
                if (found := await self._policies()) is not None:
                    return max((int((policy.get("status") or {}).get("operatorEpoch", 0)) for policy in found), default=0)
            self._waits_for = "the policies cannot be listed; is the CustomResourceDefinition installed, and may the operator list them?"
            await asyncio.sleep(PATIENCE)

    async def _policies(self) -> list[dict[str, Any]] | None:
        """All that may be listed; None without any such right. A namespace that is gone, or not ours yet, keeps nobody waiting."""
        lists = []
        for namespace in self._namespaces or ("",):
            with contextlib.suppress(Forbidden):
                lists.append(await self.kube.list(resources.POLICY, namespace))
        return [policy for found in lists for policy in found] if lists else None

    async def _await_rights(self) -> None:
        """Without the rights that it needs in one namespace at least, the operator waits for them: ending would help nobody."""
        while not self._served:
            with contextlib.suppress(KubeError):
                self.missing = await preflight.missing(self.kube, self._namespaces)
                self._served = preflight.served(self._namespaces, self.missing)
                needed = [str(each) for each in self.missing if not each.right.optional]
                self._waits_for = "" if self._served else f"the operator may not: {', '.join(needed)}; complete its role"
                if needed:
                    log.error("rights are missing", missing=needed)
            await asyncio.sleep(0 if self._served else PATIENCE)
        for each in self.missing:
            if each.right.optional:
                log.warning("an optional right is missing", right=str(each))
        self._asking = asyncio.create_task(self._ask_again(), name="rights")

    async def _ask_again(self) -> None:
        """Until every optional right is there. Kinds that could not be watched are watched by the next leader."""
        optional = [right for right in preflight.RIGHTS if right.optional]
        while self.missing:
            await asyncio.sleep(preflight.AGAIN_EVERY)
            with contextlib.suppress(KubeError):
                self.missing = await preflight.missing(self.kube, self._namespaces, optional)

    async def _look_around(self) -> None:
        """Watch everything that may be watched, and wait for it where the operator has its rights. It may get them elsewhere later."""
        forbidden = preflight.unwatched(each for each in self.missing if each.namespace in self._served)
        self._waits_for = "not everything could be listed yet"
        self.cache.begin(self.kube, [kind for kind in WATCHED if kind not in forbidden], self._namespaces, self.settings.watch_silence)
        for namespace in self._served:
            await self.cache.known(namespace)
        self._adopting = asyncio.create_task(adopting.adopt(self.kube, self.news), name="adoption")
        self._waits_for = ""


async def _cancelled(*tasks: asyncio.Task[None] | None) -> None:
    begun = [task for task in tasks if task]
    for task in begun:
        task.cancel()
    await asyncio.gather(*begun, return_exceptions=True)
