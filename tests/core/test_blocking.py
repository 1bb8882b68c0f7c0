import threading

import pytest

import bidlock.blocking
from bidlock import ConfigurationError, Placed, Skipped, SkipReason


@pytest.fixture
def locks(url):
    with bidlock.blocking.connect(url, environment={}, ttl=0.6, margin=0.02, timeout=5.0) as client:
        yield client


def test_place_runs_in_the_calling_thread(locks):
    outcome = locks.bid_once("upwork", "1", lambda lease: threading.get_ident())

    assert outcome == Placed(threading.get_ident(), 1)


def test_nobody_bids_twice(locks):
    locks.bid_once("upwork", "1", lambda lease: None)

    assert locks.bid_once("upwork", "1", lambda lease: None) == Skipped(SkipReason.ALREADY_BID)


def test_what_place_raises_comes_through(locks):
    with pytest.raises(ZeroDivisionError):
        locks.bid_once("upwork", "1", lambda lease: 1 / 0)


def test_an_interrupt_in_place_frees_the_lock_and_leaves_the_marker(locks):
    def interrupted(lease):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        locks.bid_once("upwork", "1", interrupted)

    assert locks.bid_once("upwork", "1", lambda lease: None).reason is SkipReason.ALREADY_BID
    assert locks.inspect("upwork", "1").lease is None


def test_threads_hold_one_after_the_other(locks):
    counter = 0

    def work():
        nonlocal counter
        for _ in range(20):
            with locks.hold("upwork", "1") as lease:
                seen = counter
                lease.check()
                counter = seen + 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert counter == 80


def test_a_lost_lease_can_be_waited_for(locks):
    lease = locks.try_hold("upwork", "1", ttl=0.1, max_hold=0)

    assert not lease.wait_lost(0)
    assert lease.wait_lost(5)
    assert lease.is_lost


def test_configuration_errors_come_before_anything_is_started():
    with pytest.raises(ConfigurationError):
        bidlock.blocking.connect("nosuch://x")


def test_a_client_that_was_not_entered_says_so(url):
    with pytest.raises(RuntimeError, match="enter the client first"):
        bidlock.blocking.connect(url).try_hold("upwork", "1")
