"""One pass over one policy: observe, decide, act once, report.

A pass writes the register, a store or the fleet at most once; then everything is looked at again. What this object
keeps between passes only saves work, and is thrown away after any failure.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog

from bidlock.errors import BackendError, ConfigurationError
from bidlock.migration import actions, founding, looking
from bidlock.migration.acting import Hands, Stores, rewritten
from bidlock.migration.deciding import decide
from bidlock.migration.recording import counted, record_due
from bidlock.migration.register import Register
from bidlock.migration.sight import Sight
from bidlock_operator import policies, preflight, statuses
from bidlock_operator.acting.applying import Appliance
from bidlock_operator.conditions import STOPPING
from bidlock_operator.kube import kinds
from bidlock_operator.kube.errors import Forbidden
from bidlock_operator.manifests import naming
from bidlock_operator.observing.news import Place
from bidlock_operator.observing.stores import Links
from bidlock_operator.policies import Durability
from bidlock_operator.reasons import Reason
from bidlock_operator.reconciling import building, doubting, needing, pacing, reaching, reporting, rolling, scenes, upkeep, wanting
from bidlock_operator.reconciling.building import Canary
from bidlock_operator.reconciling.credentials import Credentials
from bidlock_operator.reconciling.ground import Ground
from bidlock_operator.reconciling.journal import Journal
from bidlock_operator.reconciling.needing import Needs
from bidlock_operator.reconciling.reporting import Situation
from bidlock_operator.reconciling.scenes import Scene

log = structlog.stdlib.get_logger("bidlock_operator.policy")

AT_ONCE = 0.0


class Reconciler:
    """Passes over one policy."""

    def __init__(self, ground: Ground, place: Place) -> None:
        self._ground = ground
        self._place = place
        self._appliance = Appliance(ground.kube, unwatched=preflight.unwatched(ground.missing()))
        self._journal = Journal(ground, place)
        self._credentials = Credentials(ground.kube)
        self._links = Links(ground.plugins, self._measure, lambda: ground.news.wake(place))
        self._recorded = time.monotonic()
        self._checked: tuple[int, str, float] = (0, "", 0.0)
        self._revision = ""

    async def step(self) -> float:
        """Do one pass.

        Returns:
            Seconds until the next one, unless there is news before.

        Raises:
            KubeError: the API server did not do what it was asked to.
            BidlockError: something else is amiss; nothing that matters is lost.
        """
        body = self._journal.newest()
        if body is None or not self._ground.leading():
            return self._ground.paces.rest
        scene = scenes.look(self._ground.cache, body)
        if scene.disabled:
            return self._ground.paces.rest
        situation = scenes.standing(scene, self._ground.news.others(self._place))
        if situation is not None:
            return await self._rest(scene, situation)
        try:
            return await self._pass(scene)
        except Forbidden as error:
            return await self._rest(scene, Situation(scene.bidders, problems={Reason.RIGHTS_MISSING: str(error)}))

    async def close(self) -> None:
        """Close what is open."""
        await self._links.close()
        self._credentials.close()

    async def _pass(self, scene: Scene) -> float:
        policy, register = scene.policy, scene.remembered.register
        was_there = scene.children.get(kinds.CLAIM, naming.redis_claim(policy)) is not None
        needs = needing.needs(policy, register, redis_was_there=was_there)
        try:
            manifests = await self._apply_stores(scene, needs)
            addresses = await reaching.addresses(policy, self._ground.platform, scene.children, self._credentials, needs)
            self._revision = await self._credentials.revision(policy) if needs.redis else ""
        except ValueError as error:
            return await self._rest(scene, Situation(scene.bidders, problems={Reason.CREDENTIALS_MISSING: str(error)}))
        stores = await self._links.point(addresses)
        if register is None:
            return await self._found(scene, stores, target_is_new=not needs.redis)
        return await self._walk(scene, stores, register, needs, manifests)

    async def _apply_stores(self, scene: Scene, needs: Needs) -> building.Manifests:
        policy, platform = scene.policy, self._ground.platform
        passwords, certificate = None, ""
        if needs.redis and policy.redis.managed:
            passwords, certificate = await self._credentials.passwords(policy), await self._credentials.certificate(policy)
        if needs.agent:
            await self._credentials.token(policy)
        manifests = building.stores(policy, platform, needs, passwords, scene.remembered.register, certificate=certificate)
        for name in await self._appliance.apply(manifests, scene.children):
            log.info("applied", policy=self._journal.shown, child=name)
        return manifests

    # -- deciding

    async def _found(self, scene: Scene, stores: Stores, *, target_is_new: bool) -> float:
        policy = scene.policy
        terms = policies.terms(policy, policy.lock.ttl_seconds)
        try:
            register = await founding.found(stores, terms, target_is_new=target_is_new)
        except (ConfigurationError, BackendError) as error:
            known = [trouble.reason for trouble in self._links.problems.values() if trouble.reason]
            reason = known[0] if known else error.reason if isinstance(error, founding.Unfounded) else Reason.FOUNDING
            said = (str(error), *self._appliance.impossible.values(), *(trouble.message for trouble in self._links.problems.values()))
            told = ". ".join(text.rstrip(".") for text in said)
            await self._rest(scene, Situation(scene.bidders, problems={reason: told}))
            return self._ground.paces.awaited
        await self._journal.record(scene, statuses.founded(scene.remembered, register, policy.lock.ttl_seconds, scene.moment))
        log.info("founded", policy=self._journal.shown, mode=register.to, authority=register.authority.value, epoch=register.epoch)
        return AT_ONCE

    async def _walk(self, scene: Scene, stores: Stores, register: Register, needs: Needs, manifests: building.Manifests) -> float:
        policy, remembered = scene.policy, scene.remembered
        fleet_seen = scene.bidders.fleet(remembered.template, original_bots=policy.sqlite.legacy_pods)
        sight = await looking.look(stores, register, fleet_seen, policy.owner)
        await reaching.explain(self._links, sight, needs)
        outdated = upkeep.outdated(scene.children, naming.redis(policy)) if policy.redis.managed else None
        invalid = await self._check_template(scene)
        wanted = wanting.want(policy, remembered, register, scene.now, sealed=outdated is not None, held=bool(invalid))
        if not doubting.may_accept(policy, self._links.ahead):
            wanted = replace(wanted, wish=replace(wanted.wish, accepted=frozenset()))
        if wanting.gives_up(policy, wanted):
            await self._journal.record(scene, reporting.abandoned(remembered, policy, scene.moment))
            return AT_ONCE
        if record_due(sight, time.monotonic() - self._recorded):
            return await self._rewrite(scene, counted(register, sight), actions.Record())
        action = decide(sight, wanted.wish)
        if outdated is not None and upkeep.may_stop(outdated, sight, action, durable=policy.redis.durability is Durability.STRICT):
            await self._restart(outdated, sight)
        problems = {
            **dict(doubting.stopping(sight)),
            **dict(reporting.problems(self._links.problems, invalid, self._appliance.impossible.values())),
        }
        original = await self._links.original_lock() if policy.redis.external and needs.redis else ""
        doubts = {str(name): said for name, said in doubting.doubts(policy, sight, self._links.ahead, original)}
        situation = Situation(scene.bidders, sight, action, wanted, needs, problems, doubts)
        return await self._act(scene, stores, situation, manifests)

    async def _check_template(self, scene: Scene) -> str:
        """Let the API server check the bidders' template; what is wrong with it.

        Once for each generation of the spec; one that was refused, again later: it may have been a rule of the cluster, which changes.
        """
        generation, wrong, at = self._checked
        if generation != scene.policy.generation or (wrong and time.monotonic() - at >= self._ground.paces.rest):
            wrong = await rolling.dry_run(self._ground, scene.policy, scene.children, scene.remembered)
            self._checked = (scene.policy.generation, wrong, time.monotonic())
        return wrong

    # -- acting

    async def _act(self, scene: Scene, stores: Stores, situation: Situation, manifests: building.Manifests) -> float:
        sight, action = situation.sight, situation.action
        assert sight is not None  # noqa: S101 — it was looked before
        match action:
            case actions.Noop() | actions.Wait() | actions.Refuse() | actions.Halt():
                return await self._settle_down(scene, situation, manifests, Canary())
            case actions.Roll(mode):
                return await self._roll(scene, situation, manifests, mode)
            case _ if isinstance(action, actions.RegisterWrite):
                known = counted(sight.register, sight) if isinstance(action, actions.Settle) else sight.register
                return await self._rewrite(scene, rewritten(action, known), action)
            case _:
                return await self._write_store(scene, stores, sight, action)  # type: ignore[arg-type]  # the last kind that is left

    async def _rewrite(self, scene: Scene, register: Register, action: actions.Action) -> float:
        await self._journal.record(scene, statuses.registered(scene.remembered, register, type(action).__name__, scene.moment))
        if isinstance(action, actions.Record):
            self._recorded = time.monotonic()
        else:
            await self._journal.tell(scene, action, "OK")
        return AT_ONCE

    async def _write_store(self, scene: Scene, stores: Stores, sight: Sight, action: actions.StoreWrite) -> float:
        terms = policies.terms(scene.policy, scene.remembered.ttl_max_seconds)
        try:
            result = (await Hands(stores, terms).act(action, sight)).value
        except BackendError as error:
            result = str(error)
        await self._journal.tell(scene, action, result)
        return AT_ONCE if result == "OK" else self._ground.paces.awaited

    async def _roll(self, scene: Scene, situation: Situation, manifests: building.Manifests, mode: str) -> float:
        """Let the canaries change over first, if there are any; then everybody."""
        canary = rolling.canary(scene.policy, mode)
        if waits := rolling.canary_waits(scene.policy, scene.children, canary, scene.now):
            return await self._settle_down(scene, replace(situation, action=actions.Wait("Canary", waits)), manifests, canary)
        await self._journal.record(scene, {**scene.remembered.raw, "templateMode": mode})
        await self._journal.tell(scene, actions.Roll(mode), "OK")
        return AT_ONCE

    async def _settle_down(self, scene: Scene, situation: Situation, manifests: building.Manifests, canary: Canary) -> float:
        """Nothing is to be written now: mend the children, say how things are, and wait."""
        policy = scene.policy
        wanted = building.fleet(
            policy, self._ground.platform, scene.remembered.template, scene.children, canary, scene.remembered.register, self._revision
        )
        doubts = dict(situation.doubts)
        if Reason.TEMPLATE_INVALID not in situation.problems:
            for name in await self._appliance.apply(wanted, scene.children):
                log.info("applied", policy=self._journal.shown, child=name)
        for name in await self._appliance.prune([*manifests, *wanted], scene.children, policy.uid):
            log.info("deleted", policy=self._journal.shown, child=name)
        if refused := self._refused(policy.namespace):
            doubts[Reason.RIGHTS_MISSING] = refused
        return await self._rest(scene, replace(situation, doubts=doubts))

    def _refused(self, namespace: str) -> str:
        """What the operator does without; empty for nothing."""
        known = preflight.told(self._ground.missing(), namespace)
        return ". ".join([*([known] if known else []), *dict.fromkeys(self._appliance.refused.values())])

    async def _restart(self, pod: Mapping[str, Any], sight: Sight) -> None:
        """Let Kubernetes replace the server's pod."""
        metadata = pod["metadata"]
        await self._ground.kube.delete(kinds.POD, str(metadata["namespace"]), str(metadata["name"]), uid=str(metadata["uid"]))
        log.info("restarting Redis", policy=self._journal.shown, pod=metadata["name"], sealed=sight.buckets[0].sealed)

    async def _rest(self, scene: Scene, situation: Situation) -> float:
        """Report, if there is anything new to report."""
        status = reporting.status(scene.policy, scene.remembered, situation, self._ground.platform, scene.moment)
        reporting.measure(self._ground.metrics, scene.policy, scene.remembered, situation, scene.now)
        await self._journal.record_news(scene, status)
        if isinstance(situation.action, actions.Halt | actions.Refuse | actions.Wait):
            await self._journal.tell(scene, situation.action, "OK")
        told = getattr(situation.action, "reason", "")
        for name, message in situation.problems.items():
            if (name in STOPPING or name == Reason.CHILD_REFUSED) and name != told:
                await self._journal.warn(scene, name, message)
        return self._pace(scene, situation)

    def _pace(self, scene: Scene, situation: Situation) -> float:
        if pacing.at_rest(situation):
            self._links.hold()
        return pacing.pause(self._ground.paces, scene.policy, scene.remembered, situation, scene.now)

    def _measure(self, store: str, seconds: float) -> None:
        self._ground.metrics.answers.labels(*self._place, store).observe(seconds)
