"""The whole show, small, with real processes and a real server."""

import json
import signal
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.servers]


def demo(*arguments: object, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "bidlock_demo", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


@pytest.fixture(scope="module")
def shown():
    with demo("--postings", 60, "--json") as process:
        out, err = process.communicate()
    assert process.returncode == 0, err
    return json.loads(out)


def test_the_seeds_way_doubles_bids_and_bidlock_none(shown):
    assert shown["seed_duplicates"] > 0
    assert shown["bidlock_duplicates"] == 0


def test_every_posting_has_its_bid_or_a_reason_why_not(shown):
    for act in shown["acts"][1:]:
        assert act["bids"] + sum(act["without_bid"].values()) == act["postings"] == 60


def test_bidders_and_the_server_were_killed(shown):
    assert shown["kills"] >= 2
    assert [act["redis_restarts"] for act in shown["acts"]] == [1, 0, 1, 1]


def test_the_document_keeps_its_keys(shown):
    assert set(shown) >= {
        "seed_duplicates",
        "bidlock_duplicates",
        "postings",
        "bids",
        "skipped_by_reason",
        "kills",
        "redis_restarts",
        "walks",
        "phases_seen",
        "acts",
    }
    assert [act["name"] for act in shown["acts"]] == ["seed", "sqlite", "redis", "walk"]


def test_the_fleet_walked_there_and_back_while_it_bid(shown):
    walk = shown["acts"][-1]

    assert (walk["walks"], walk["duplicates"], walk["controller_kills"]) == (2, 0, 1)
    assert shown["phases_seen"] == ["Dual", "RedisOnly", "RedisPrimary", "SQLite", "Strict"]
    assert len(walk["bids_by_mode"]) >= 2


def test_duplicates_of_the_seeds_way_have_causes(shown):
    seed = shown["acts"][0]

    assert sum(seed["duplicate_causes"].values()) == seed["duplicates"]
    assert seed["duplicate_causes"]["two stores"] > 0


def test_plain_output_ends_with_the_result_in_two_lines():
    with demo("--postings", 12, "--bidders", 2) as process:
        out, _ = process.communicate()

    seed, bidlock = out.splitlines()[-2:]
    assert (process.returncode, bidlock) == (0, "bidlock: 0 duplicate bids")
    assert seed.startswith("seed's way: ")


def test_ctrl_c_ends_everything(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with demo("--postings", 60) as process:
        process.stdout.readline()  # the first act has begun
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)

    assert process.returncode == 130
    assert "every process of the demo has ended" in err
    assert not list(tmp_path.iterdir())


def test_a_feed_without_postings_is_refused_in_one_line(tmp_path):
    with demo("--feed", tmp_path / "nowhere.jsonl") as process:
        _, err = process.communicate()

    assert process.returncode == 5
    assert "cannot be read" in err
    assert len(err.splitlines()) == 1
