"""What the operator registers with kopf, and how it adjusts kopf."""

from __future__ import annotations

import itertools

import kopf

from bidlock_operator import handlers
from bidlock_operator.settings import Settings


def adjusted():
    settings = kopf.OperatorSettings()
    handlers.adjust(settings, Settings(api_timeout=7.0))
    return settings


def test_kopf_posts_no_events_of_its_own():
    assert adjusted().posting.enabled is False


def test_kopf_does_not_peer():
    assert adjusted().peering.standalone is True


def test_the_finalizer_is_in_our_group():
    assert adjusted().persistence.finalizer == "bidlock.io/finalizer"


def test_requests_to_the_api_server_end_in_time():
    assert adjusted().networking.request_timeout == adjusted().networking.connect_timeout == 7.0


def test_no_handler_makes_kopf_write_annotations():
    """kopf writes them as soon as one handler is for changes: creation, update, deletion, resume, a field."""
    registry = kopf.get_default_registry()

    assert not registry._changing.get_all_handlers()


def test_kopf_watches_policies_alone_and_gives_each_one_loop():
    registry = kopf.get_default_registry()

    assert not registry._watching.get_all_handlers()
    assert not registry._indexing.get_all_handlers()
    assert [handler.id for handler in registry._spawning.get_all_handlers()] == ["policy"]


def test_kopf_never_gives_up_a_request_that_the_server_is_too_busy_for():
    backoffs = adjusted().networking.error_backoffs

    for _ in range(2):  # each request begins anew
        assert max(itertools.islice(iter(backoffs), 1000)) == 5.0
