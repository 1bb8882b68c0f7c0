"""Many entries, one timer."""

import asyncio

import pytest

from bidlock.timetable import Timetable


class Entry:
    def __init__(self):
        self.came = asyncio.get_running_loop().create_future()

    def due(self):
        self.came.set_result(asyncio.get_running_loop().time())


@pytest.fixture
def table():
    return Timetable()


async def test_an_entry_is_due_after_its_pause(table):
    entered, entry = asyncio.get_running_loop().time(), Entry()
    table.enter(entry, 0.05)

    assert await entry.came >= entered + 0.05


async def test_an_entry_that_was_struck_out_is_never_due_and_the_ones_around_it_are(table):
    before, struck, after = Entry(), Entry(), Entry()
    for entry in (before, struck, after):
        table.enter(entry, 0.05)
    table.strike_out(struck, 0.05)

    assert await before.came <= await after.came
    assert not struck.came.done()


async def test_who_comes_while_others_wait_is_due_too(table):
    first, second = Entry(), Entry()
    table.enter(first, 0.05)
    await asyncio.sleep(0.02)
    entered = asyncio.get_running_loop().time()
    table.enter(second, 0.05)

    assert await first.came <= await second.came
    assert await second.came >= entered + 0.05


async def test_a_shorter_pause_does_not_wait_for_a_longer_one(table):
    patient, hasty = Entry(), Entry()
    table.enter(patient, 60)
    table.enter(hasty, 0.01)

    await hasty.came
    assert not patient.came.done()


async def test_an_entry_may_enter_another_when_it_is_due(table):
    class Again(Entry):
        def due(self):
            super().due()
            table.enter(last, 0.01)

    last = Entry()
    table.enter(Again(), 0.01)

    await last.came


async def test_pauses_nobody_uses_any_more_leave_nothing_behind(table):
    for number in range(1, 11):
        entry = Entry()
        table.enter(entry, number / 1000)
        table.strike_out(entry, number / 1000)
    last = Entry()
    table.enter(last, 0.05)
    await last.came
    await asyncio.sleep(0)

    assert not table._queues


def test_a_loop_that_ended_takes_nothing_from_the_next_one(table):
    async def enter_and_leave():
        table.enter(Entry(), 0.01)

    async def enter_and_wait():
        entry = Entry()
        table.enter(entry, 0.01)
        await entry.came

    asyncio.run(enter_and_leave())
    asyncio.run(asyncio.wait_for(enter_and_wait(), 20))


async def test_thousands_of_entries_share_one_timer(table):
    for _ in range(2000):
        table.enter(Entry(), 60)

    assert len(asyncio.get_running_loop()._scheduled) == 1
