"""A controller's look at everything, once, before it decides."""

from __future__ import annotations

import asyncio

from bidlock.errors import BackendError, ConfigurationError
from bidlock.migration.acting import Stores
from bidlock.migration.port import OriginStore
from bidlock.migration.register import Register
from bidlock.migration.sight import Fleet, Origin, Sight


async def look(stores: Stores, register: Register, fleet: Fleet, owner: str) -> Sight:
    """Both stores, now. One that does not answer is seen as out of reach.

    Args:
        stores: The two stores, opened.
        register: What the controller remembers.
        fleet: The bidders, as seen just before.
        owner: The controller's own identity.

    Raises:
        ConfigurationError: a store is laid out otherwise than this client was told.
    """
    origin, buckets = await asyncio.gather(_origin(stores.origin, register.epoch), stores.target.survey(register.epoch))
    return Sight(register, origin, buckets, fleet, owner)


async def _origin(store: OriginStore, epoch: int) -> Origin:
    try:
        return await store.survey(epoch)
    except (BackendError, ConfigurationError):  # an agent that does not take our token is out of reach, too
        return Origin(reachable=False)
