"""The history checker finds what must not happen, and nothing else."""

import pytest

from bidlock.testing.history import Interval, check


def held(token, start, end, *, posting="p", claimed=False):
    return Interval(posting, f"holder-{token}", token, start, end, claimed)


SOUND = {
    "nothing": [],
    "one after the other": [held(1, 0, 1), held(2, 2, 3)],
    "the moment one ends the next begins": [held(1, 0, 1), held(2, 1, 2)],
    "two postings at once": [held(1, 0, 5), held(1, 0, 5, posting="q")],
    "one claim": [held(1, 0, 1), held(2, 2, 3, claimed=True)],
    "written down in another order": [held(2, 2, 3), held(1, 0, 1)],
}
BROKEN = {
    "an overlap": ([held(1, 0, 2), held(2, 1, 3)], ["overlap"]),
    "an overlap around a short one": ([held(1, 0, 9), held(2, 1, 2), held(3, 5, 6)], ["overlap", "overlap"]),
    "a token twice": ([held(1, 0, 1), held(1, 2, 3)], ["token"]),
    "a token that falls": ([held(5, 0, 1), held(3, 2, 3), held(4, 4, 5)], ["token", "token"]),
    "two claims": ([held(1, 0, 1, claimed=True), held(2, 2, 3), held(3, 4, 5, claimed=True)], ["double claim"]),
}


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_history_has_no_findings(name):
    assert check(SOUND[name]) == []


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_history_is_found_out(name):
    history, kinds = BROKEN[name]
    assert [finding.kind for finding in check(history)] == kinds


def test_a_finding_names_both_holders():
    (finding,) = check([held(1, 0, 2), held(2, 1, 3)])
    assert "holder-1" in str(finding)
    assert "holder-2" in str(finding)
