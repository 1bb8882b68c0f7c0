"""A fleet walks from the file to another store and back while it bids."""

from __future__ import annotations

import asyncio
import itertools

import pytest

import bidlock
from bidlock.backend import MarkerState
from bidlock.migration import Wish, actions
from bidlock.migration.controller import Controller
from bidlock.modes import Role


async def bid_until(ended, locks, bids):
    for number in itertools.count():
        if ended.is_set():
            return

        async def place(lease, number=number):
            bids.append(number)

        await locks.bid_once("upwork", str(number), place)
        await asyncio.sleep(0.001)


async def some(bids):
    """Until a few more bids were placed."""
    enough = len(bids) + 5
    while len(bids) < enough:
        await asyncio.sleep(0.005)


async def test_a_fleet_bids_all_the_way_there_and_back_without_a_duplicate(controller, register, urls, walk):
    kept = await controller.begin()
    environment = {
        "BIDLOCK_POLICY": kept.owner,
        "BIDLOCK_SQLITE_URL": urls[0],
        "BIDLOCK_REDIS_URL": urls[1],
        "BIDLOCK_MODE_FILE": str(register.mode_path),
        "BIDLOCK_TTL": "0.2",
    }
    bids, ended = [], asyncio.Event()
    async with bidlock.connect(environment=environment) as one, bidlock.connect(environment=environment) as two:
        bidding = [asyncio.create_task(bid_until(ended, locks, bids)) for locks in (one, two)]
        await some(bids)
        there = await walk("only")
        await some(bids)
        back = await walk("sqlite")
        await some(bids)
        ended.set()
        await asyncio.gather(*bidding)

    assert [action.role for action in there + back if isinstance(action, actions.Authorise)] == [Role.TARGET, Role.ORIGIN]
    assert len(bids) == len(set(bids))


class KilledError(Exception):
    """The controller process is gone."""


@pytest.mark.parametrize("goals", [("only",), ("only", "sqlite")])
async def test_a_controller_killed_after_any_write_ends_where_an_undisturbed_one_does(goals, register, stores, execute):
    def die(step):
        if not isinstance(step.action, actions.Wait | actions.Noop):
            raise KilledError

    kills = 0
    for goal in goals:
        while True:
            try:
                await Controller(register, stores, ttl_max_ms=200, margin_ms=10).walk(Wish(goal), die)
                break
            except KilledError:
                kills += 1

    assert kills > 20
    assert (register.read().register.to, register.read().template) == (goals[-1], goals[-1])
    assert execute("SELECT modes, ctr >> 32 FROM bidlock_meta") == [(",sqlite,", 1) if goals[-1] == "sqlite" else (",strict,", 0)]


async def test_bids_placed_in_the_other_store_are_in_the_file_afterwards(register, urls, walk, execute):
    await walk("only")
    environment = {"BIDLOCK_POLICY": register.read().owner, "BIDLOCK_URL": urls[1], "BIDLOCK_MODE": "only", "BIDLOCK_TTL": "0.2"}

    async def place(lease):
        return lease.token

    async with bidlock.connect(environment=environment) as locks:
        token = (await locks.bid_once("upwork", "~01ab", place, posted_at=1_700_000_000)).token
    await walk("sqlite")

    ((marked, state, at),) = execute("SELECT token, state, posted_at_ms FROM bidlock_marker WHERE key = 'upwork:~01ab'")
    ((counter,),) = execute("SELECT ctr FROM bidlock_meta")
    assert (marked, state, at) == (token, MarkerState.PLACED, 1_700_000_000_000)
    assert counter > token
