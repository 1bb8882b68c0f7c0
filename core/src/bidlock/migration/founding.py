"""How a register begins: stores that belonged to their clients alone, or to nobody, become a controller's."""

from __future__ import annotations

from bidlock.backend import SELF
from bidlock.errors import ConfigurationError
from bidlock.migration.acting import Stores, Terms, recreated
from bidlock.migration.actions import Halt
from bidlock.migration.port import Constitution, Outcome
from bidlock.migration.rebuilding import rebuild
from bidlock.migration.register import Register
from bidlock.migration.sight import LEGACY, Bucket, Origin
from bidlock.modes import Role


class Unfounded(ConfigurationError):
    """A register cannot be made from what the stores show.

    Attributes:
        reason: A word of the documented list.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


async def found(stores: Stores, terms: Terms, *, target_is_new: bool = False) -> Register:
    """Take the stores over and write down what they are. May be repeated after a crash at any point.

    The store that clients used gets the authority. Clients without a policy are refused (`owner`) from then on.

    Args:
        stores: The two stores, opened.
        terms: What is written into them.
        target_is_new: Whether the target is known to hold nothing yet; then it need not answer.

    Raises:
        ConfigurationError: the stores belong to somebody else, or both were in use; says what to do.
        BackendError: a store did not answer.
    """
    origin, buckets = await stores.origin.survey(0), await stores.target.survey(0)
    used = _in_use(origin, buckets, terms.owner, target_is_new=target_is_new)
    constitution = Constitution(terms.owner, 1, origin.domain, terms.ttl_max_ms, terms.margin_ms, adoption_skew_ms=terms.adoption_skew_ms)
    beside = {LEGACY} if terms.original_bots else set[str]()
    modes = frozenset({"sqlite"} | beside) if used is Role.ORIGIN else frozenset[str]()
    _agreed(await stores.origin.constitute(constitution, modes), "origin")
    origin = await stores.origin.survey(0)
    if used is Role.TARGET:
        owned = Constitution(terms.owner, 1, origin.domain, terms.ttl_max_ms, terms.margin_ms)
        _agreed(await stores.target.take_over(owned), "target")
    return await restore(stores, terms.owner)


async def restore(stores: Stores, owner: str) -> Register:
    """The register that the stores themselves show, if they are this owner's.

    Raises:
        ConfigurationError: they do not show enough; says what a human has to do.
        BackendError: a store did not answer.
    """
    origin, buckets = await stores.origin.survey(0), await stores.target.survey(0)
    _refuse_strangers(origin, buckets, {"", owner})
    action = rebuild(origin, buckets)
    if isinstance(action, Halt):
        raise Unfounded(action.reason, f"{action.reason}: {action.message}")
    return recreated(action)


def _in_use(origin: Origin, buckets: tuple[Bucket, ...], owner: str, *, target_is_new: bool) -> Role:
    """The store that clients worked in until now."""
    known = {"", SELF, owner}
    strangers = {store.owner for store in (origin, *buckets) if store.reachable and store.initialised} - known  # type: ignore[attr-defined]  # both kinds have these fields
    if strangers:
        raise Unfounded(
            "OwnerMismatch",
            f"a store belongs to {', '.join(sorted(strangers))}; point to the right stores, or give --register of that fleet",
        )
    if not origin.reachable:
        raise Unfounded("SQLiteUnavailable", "the origin store does not answer; a migration begins with both stores in reach")
    target_used = any(bucket.reachable and bucket.initialised and bucket.owner == SELF for bucket in buckets)
    if not target_is_new and not all(bucket.reachable for bucket in buckets):
        raise Unfounded("RedisUnavailable", "the target store does not answer; a migration begins with both stores in reach")
    if target_used and origin.initialised and origin.owner == SELF:
        raise Unfounded(
            "BothOpen", "clients worked in both stores, each for itself; end the clients of one, and begin with that store moved away"
        )
    return Role.TARGET if target_used else Role.ORIGIN


def _refuse_strangers(origin: Origin, buckets: tuple[Bucket, ...], known: set[str]) -> None:
    stores: tuple[Origin | Bucket, ...] = (origin, *buckets)
    strangers = {store.owner for store in stores if store.reachable and store.initialised} - known
    if strangers:
        raise Unfounded(
            "OwnerMismatch",
            f"a store belongs to {', '.join(sorted(strangers))}; point to the right stores, or use the register of that fleet. Nothing was changed",
        )


def _agreed(outcome: Outcome, store: str) -> None:
    if outcome is not Outcome.OK:
        raise ConfigurationError(f"the {store} store refused to be taken over: {outcome.value}; look at it with `bidlock doctor`")
