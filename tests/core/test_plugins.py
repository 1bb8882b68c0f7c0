import pytest

from bidlock import UnknownBackend, connect
from bidlock.backend import Capabilities
from bidlock.events import Event
from bidlock.hookspecs import BackendSpec, hookimpl
from bidlock.memory import MemoryBackend
from bidlock.plugins import Plugins, load

CAPABILITIES = Capabilities(scope="process", time_authority="client", durability="volatile")


class Plugin:
    def __init__(self, name="mine", scheme="mine", port=1):
        self.spec = BackendSpec(name, (scheme,), MemoryBackend, CAPABILITIES, port=port)

    @hookimpl
    def bidlock_backends(self):
        return [self.spec]


class Raising:
    @hookimpl
    def bidlock_backends(self):
        raise RuntimeError("no licence")


class WrongHook:
    @hookimpl
    def bidlock_backends(self, nonsense):
        return []


@pytest.fixture
def plugins():
    found = Plugins()
    found.register(Plugin(), "mine", distribution="my-backend", version="1.0")
    return found


def test_a_registered_plugin_serves_its_scheme(plugins):
    assert plugins.backend("mine").name == "mine"


@pytest.mark.parametrize(
    ("plugin", "status", "says"),
    [
        (Plugin(scheme="other", port=2), "refused", "written for port 2, this is port 1"),
        (Plugin(name="thief", scheme="mine"), "refused", "which backend 'mine' serves already"),
        (Raising(), "broken", "RuntimeError: no licence"),
        (WrongHook(), "broken", "nonsense"),
    ],
)
def test_a_bad_plugin_is_named_and_disturbs_nobody(plugins, plugin, status, says):
    report = plugins.register(plugin, "bad", distribution="bad-backend", version="0.1")

    assert report.status == status
    assert says in report.reason
    assert plugins.backend("mine").name == "mine"
    with pytest.raises(UnknownBackend, match=r"bad \(bad-backend 0.1\)"):
        plugins.backend("wanted")


def test_a_missing_backend_of_ours_says_what_to_install():
    with pytest.raises(UnknownBackend, match=r'pip install "bidlock\[redis\]"'):
        Plugins().backend("rediss")


def test_only_allowed_plugins_are_imported():
    found = load({"BIDLOCK_PLUGINS": "memory"})

    assert {report.name for report in found.reports if report.status == "loaded"} == {"memory"}
    assert {report.status for report in found.reports} == {"loaded", "blocked"}


async def test_an_observer_that_raises_is_counted_and_disturbs_no_lock(url):
    class Broken:
        @hookimpl
        def bidlock_observe(self, event):
            raise RuntimeError

    found = load({})
    found.register(Broken(), "broken")
    async with connect(url, environment={}, loaded=found, ttl=60) as locks, locks.hold("upwork", "1"):
        pass

    assert found.observer_failures == 2


def test_without_observers_nothing_is_published(plugins):
    assert not plugins.observed
    plugins.publish(Event(marketplace="m", posting_id="p"))
