"""Who gave no sign of life for too long."""

from __future__ import annotations

import pytest

from bidlock_operator.pulses import Pulse, silent


@pytest.mark.parametrize(
    ("ages", "said"),
    [
        ({}, ""),
        ({"a": 90.0}, ""),
        ({"a": 91.0, "b": 1.0}, "a (91 s)"),
        ({"a": 91.0, "b": 300.0}, "b (300 s), a (91 s)"),
        ({str(number): 100.0 + number for number in range(7)}, "6 (106 s), 5 (105 s), 4 (104 s), 3 (103 s), 2 (102 s) and 2 more"),
    ],
)
def test_those_that_are_silent_are_told_the_longest_silence_first(ages, said):
    assert silent(ages, 90.0) == said


@pytest.fixture
def time():
    return [100.0]


@pytest.fixture
def pulse(time):
    return Pulse(lambda: time[0])


def test_an_age_counts_from_the_last_sign(pulse, time):
    pulse.beat("a")
    time[0] += 5
    pulse.beat("a")
    time[0] += 2

    assert pulse.ages() == {"a": 2.0}


def test_who_is_expected_is_late_from_then_on_and_not_any_younger_when_expected_again(pulse, time):
    pulse.expect("a")
    time[0] += 5
    pulse.expect("a")

    assert pulse.ages() == {"a": 5.0}


def test_nothing_is_awaited_of_who_is_forgotten(pulse):
    pulse.beat("a")
    pulse.forget("a")

    assert pulse.ages() == {}
