"""What the operator registers with kopf, and how it adjusts kopf."""

from __future__ import annotations

import kopf

from bidlock_operator import handlers
from bidlock_operator.observing.children import WATCHED
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


def test_a_policy_and_everything_that_belongs_to_it_is_watched():
    registry = kopf.get_default_registry()
    watched = {handler.id for handler in registry._watching.get_all_handlers()}

    assert watched == {"policy_event"} | {f"{kind.plural}_event" for kind in WATCHED}
    assert {handler.id for handler in registry._indexing.get_all_handlers()} == {kind.plural for kind in WATCHED}
