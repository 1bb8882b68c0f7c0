"""Clients of a real server, and servers, that are wrong in one way each, and the tests of the kit that must notice."""

import shutil

import pytest

from bidlock.backend import Answer, Verdict
from bidlock.errors import BackendAmbiguous, BackendUnavailable
from bidlock.hookspecs import BackendSpec
from bidlock.testing import suite
from bidlock.testing.lab import Lab
from bidlock.testing.proxy import Direction
from bidlock_redis.backend import RedisBackend
from bidlock_redis.plugin import bidlock_backends
from bidlock_redis.testing.harness import RedisHarness

pytestmark = [pytest.mark.servers, pytest.mark.slow]


class TakesALostReplyForHeld(RedisBackend):
    async def acquire(self, ticket, *, floor=0, passed_from=""):
        try:
            return await super().acquire(ticket, floor=floor, passed_from=passed_from)
        except BackendAmbiguous:
            return Answer(Verdict.HELD)


class TakesALostReplyForNothingDone(RedisBackend):
    async def _attempt(self, *words):
        try:
            return await super()._attempt(*words)
        except BackendAmbiguous as error:
            raise BackendUnavailable(str(error)) from None


class TakesALostReplyForDone(RedisBackend):
    async def claim(self, ticket, token):
        try:
            return await super().claim(ticket, token)
        except BackendAmbiguous:
            return Answer(Verdict.OK)


class LetsTheSocketsErrorOut(RedisBackend):
    async def acquire(self, ticket, *, floor=0, passed_from=""):
        try:
            return await super().acquire(ticket, floor=floor, passed_from=passed_from)
        except BackendAmbiguous as error:
            raise ConnectionResetError(104, "connection reset by peer") from error


class TellsAnotherToken(RedisBackend):
    async def acquire(self, ticket, *, floor=0, passed_from=""):
        answer = await super().acquire(ticket, floor=floor, passed_from=passed_from)
        return answer if not answer.ok else Answer(Verdict.OK, answer.token + 1)


class LosesEverything(RedisHarness):
    """A server whose disk keeps nothing."""

    def restart(self):
        for path in self.server.directory.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        super().restart()


CLIENTS = [
    (TakesALostReplyForHeld, "test_an_acquire_cut_at_any_byte_leaves_one_truth", {"direction": Direction.REPLIES}),
    (TakesALostReplyForHeld, "test_an_acquire_whose_reply_does_not_come_is_ambiguous_and_can_be_repeated", {}),
    (TakesALostReplyForNothingDone, "test_an_acquire_cut_at_any_byte_leaves_one_truth", {"direction": Direction.REPLIES}),
    (TakesALostReplyForNothingDone, "test_a_claim_cut_at_any_byte_leaves_one_truth", {"direction": Direction.REPLIES}),
    (TakesALostReplyForNothingDone, "test_a_renewal_cut_at_any_byte_leaves_one_truth", {"direction": Direction.REPLIES}),
    (TakesALostReplyForDone, "test_a_claim_cut_at_any_byte_leaves_one_truth", {"direction": Direction.REQUESTS}),
    (LetsTheSocketsErrorOut, "test_an_acquire_cut_at_any_byte_leaves_one_truth", {"direction": Direction.REQUESTS}),
    (TellsAnotherToken, "test_a_look_shows_who_holds_the_posting", {}),
]


def fails(harness, client, name, given):
    (sound,) = bidlock_backends()
    lab = Lab(harness, BackendSpec("broken", sound.schemes, client, sound.capabilities))
    try:
        getattr(suite, name)(bidlock_lab=lab, **given)
    except (AssertionError, ConnectionError):
        return True
    return False


@pytest.fixture(scope="module")
def harness(tmp_path_factory):
    running = RedisHarness(tmp_path_factory.mktemp("broken"), RedisHarness.variants[-1])
    running.start()
    yield running
    running.stop()


@pytest.mark.parametrize(("client", "name", "given"), CLIENTS, ids=lambda value: getattr(value, "__name__", None))
def test_the_kit_catches_a_client(harness, client, name, given):
    assert fails(harness, client, name, given)


@pytest.mark.parametrize(("name", "given"), [row[1:] for row in CLIENTS], ids=lambda value: value if isinstance(value, str) else None)
def test_the_sound_client_passes(harness, name, given):
    assert not fails(harness, RedisBackend, name, given)


def test_the_kit_catches_a_server_that_forgets(tmp_path):
    forgetful = LosesEverything(tmp_path, RedisHarness.variants[-1])
    forgetful.start()
    try:
        assert fails(forgetful, RedisBackend, "test_a_store_that_was_killed_keeps_every_acknowledged_marker", {})
    finally:
        forgetful.stop()
