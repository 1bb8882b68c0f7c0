import asyncio
import dataclasses

import pytest

import bidlock
from bidlock.backend import FORMAT, Capabilities, Observed
from bidlock.cli import diagnosis
from bidlock.cli.diagnosis import Level
from bidlock.memory import STORES
from bidlock.plugins import PluginReport
from bidlock.settings import Settings

GOOD = Observed(
    initialised=True, live=True, owner="self", format=FORMAT, modes=frozenset({"only"}), ttl_max_ms=3_600_000, margin_ms=5000, durable=True
)
MANAGED = dataclasses.replace(GOOD, owner="fleet")
PROMISES = Capabilities(scope="cluster", time_authority="server", durability="fsync")


def findings(observed, **settings):
    return list(diagnosis.of_store(observed, Settings(**settings), PROMISES, "only", "redis://cache"))


def levels(found):
    return {finding.check: finding.level for finding in found}


def test_a_good_store_has_nothing_to_complain_about():
    assert {finding.level for finding in findings(GOOD)} == {Level.OK}


@pytest.mark.parametrize(
    ("observed", "settings", "check", "level", "remedy"),
    [
        (Observed(False, False), {}, "meta", Level.OK, ""),
        (Observed(False, False), {"policy": "fleet"}, "meta", Level.FAILED, "only the operator"),
        (MANAGED, {"policy": "fleet"}, "owner", Level.OK, ""),
        (MANAGED, {}, "owner", Level.FAILED, "set BIDLOCK_POLICY=fleet"),
        (GOOD, {"policy": "fleet"}, "owner", Level.FAILED, "unset BIDLOCK_POLICY"),
        (dataclasses.replace(GOOD, live=False), {}, "live", Level.OK, ""),
        (dataclasses.replace(MANAGED, live=False), {"policy": "fleet"}, "live", Level.FAILED, "operator"),
        (dataclasses.replace(GOOD, format=FORMAT + 1), {}, "format", Level.FAILED, "the fleet's version"),
        (dataclasses.replace(GOOD, buckets=16), {}, "format", Level.FAILED, "BIDLOCK_BUCKETS=16"),
        (dataclasses.replace(GOOD, modes=frozenset({"strict"})), {}, "mode", Level.FAILED, "changing phase"),
        (GOOD, {"ttl": 10.0}, "ttl", Level.FAILED, "BIDLOCK_TTL"),
        (GOOD, {"ttl": 7200.0}, "ttl", Level.FAILED, "BIDLOCK_TTL"),
        (dataclasses.replace(GOOD, durable=False), {}, "durability", Level.WARNING, "appendfsync always"),
        (dataclasses.replace(GOOD, watermark_ms=1), {}, "watermark", Level.WARNING, "posted_at"),
        (dataclasses.replace(GOOD, warnings=("too little memory",)), {}, "store", Level.WARNING, ""),
    ],
)
def test_what_is_wrong_is_said_with_its_remedy(observed, settings, check, level, remedy):
    found = findings(observed, **settings)

    assert levels(found)[check] is level
    assert any(remedy in finding.remedy for finding in found if finding.check == check)
    assert diagnosis.healthy(found) is (level is not Level.FAILED)


@pytest.mark.parametrize(("status", "count"), [("loaded", 0), ("blocked", 0), ("broken", 1), ("refused", 1)])
def test_a_plugin_that_should_have_been_loaded_is_a_warning(status, count):
    assert len(list(diagnosis.of_plugins([PluginReport("x", "bidlock-x", "0.1", status, "why")]))) == count


def test_a_store_that_can_be_used_is_healthy(cli, url):
    ran = cli("doctor", url, "--json")

    assert (ran.code, ran.json["healthy"]) == (0, True)
    (store,) = ran.json["stores"]
    assert (store["role"], store["url"]) == ("target", url)
    assert store["round_trip_ms"] > 0
    assert {finding["store"] for finding in ran.json["findings"]} >= {url}


def test_looking_changes_nothing(cli, url):
    cli("doctor", url)

    assert STORES[f"{url.removeprefix('memory://')}/bidlock"].meta is None


def test_a_store_of_somebody_else_is_unhealthy(cli, url):
    async def initialise():
        async with bidlock.connect(url, environment={}):
            pass

    asyncio.run(initialise())

    ran = cli("doctor", url, "--policy", "fleet")

    assert ran.code == 7
    assert "FAILED   owner" in ran.out
    assert ran.out.endswith("not healthy: this client cannot bid\n")


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "says"),
    [
        ([], {}, 5, "no store is configured"),
        (["postgres://db"], {}, 5, "no backend serves postgres://"),
        (["memory://"], {"BIDLOCK_TTL": "soon"}, 5, "BIDLOCK_TTL='soon' is no number"),
    ],
)
def test_a_configuration_that_cannot_work_is_a_finding(cli, monkeypatch, arguments, environment, code, says):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    ran = cli("doctor", *arguments, "--json")

    assert (ran.code, ran.json["healthy"]) == (code, False)
    assert any(says in finding["detail"] for finding in ran.json["findings"])


def test_the_password_is_never_shown(cli, url):
    ran = cli("doctor", url.replace("memory://", "memory://user:secret@"), "--json")

    assert "secret" not in ran.out + ran.err
    assert ran.json["stores"][0]["url"].startswith("memory://user:***@")


def test_every_store_of_a_migrating_fleet_is_looked_at(cli, monkeypatch):
    monkeypatch.setenv("BIDLOCK_POLICY", "fleet")
    monkeypatch.setenv("BIDLOCK_MODE", "strict")
    monkeypatch.setenv("BIDLOCK_SQLITE_URL", "memory://old-home")
    monkeypatch.setenv("BIDLOCK_REDIS_URL", "redis://user:secret@127.0.0.1:1/0")

    ran = cli("doctor", "--json")

    old, new = ran.json["stores"]
    assert (old["role"], old["url"], old["observed"]["initialised"]) == ("origin", "memory://old-home", False)
    assert (new["role"], new["url"], new["observed"]) == ("target", "redis://user:***@127.0.0.1:1/0", None)
    failed = {(finding["check"], finding["store"]) for finding in ran.json["findings"] if finding["level"] == "failed"}
    assert failed == {("meta", old["url"]), ("reached", new["url"])}
    assert ran.code == 4
    assert "secret" not in ran.out + ran.err
