"""The whole command, with real servers, files and processes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from bidlock_redis.testing.servers import free_port, start

pytestmark = [pytest.mark.slow, pytest.mark.servers]


def bench(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bidlock_bench", *arguments], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_quick_run_prints_the_table_writes_the_json_and_leaves_nothing_behind(tmp_path: Path) -> None:
    rows = ["latency-p50", "sqlite-durable-pairs", "hand-off-p50", "bytes-per-marker"]
    files = ("--json", "out.json", "--plot", "out.svg")
    done = bench(tmp_path, "--quick", "--seconds", "0.3", *files, *(part for row in rows for part in ("--only", row)))
    assert (done.returncode, done.stderr) == (0, "")
    written = json.loads((tmp_path / "out.json").read_text())
    assert [row["name"] for row in written["rows"]] == ["latency-p50", "sqlite-durable-pairs", "bytes-per-marker", "hand-off-p50"]
    latency = written["rows"][0]
    assert set(latency["contenders"]) == {"bidlock", "redis-py", "python-redis-lock", "original algorithm", "raw floor"}
    assert all(len(contender["rounds"]) == 3 for contender in latency["contenders"].values())
    assert latency["title"] in done.stdout
    assert (tmp_path / "out.svg").read_text().startswith("<svg")
    assert {path.name for path in tmp_path.iterdir()} == {"out.json", "out.svg"}


def test_a_run_that_lost_ground_fails_and_says_where(tmp_path: Path) -> None:
    impossible = {"ratio": {"median": 1000, "min": 999, "max": 1001}}
    earlier = {"schema": 1, "rows": [{"name": "latency-p50", "contenders": {"raw floor": impossible}}]}
    (tmp_path / "earlier.json").write_text(json.dumps(earlier))
    done = bench(tmp_path, "--quick", "--seconds", "0.3", "--only", "latency-p50", "--against", "earlier.json")
    assert done.returncode == 1
    assert "slower than in earlier.json: latency-p50: against raw floor bidlock fell from 1,000 ×" in done.stderr


def test_a_server_of_ones_own_is_left_as_it_was(tmp_path: Path) -> None:
    with start(directory=tmp_path / "server", durable=False) as server, redis.Redis.from_url(server.url) as client:
        client.set("mine", "1")
        done = bench(tmp_path, "--quick", "--seconds", "0.3", "--only", "pairs-4-processes", "--url", server.url)
        assert (done.returncode, done.stderr) == (0, "")
        assert client.keys() == [b"mine"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--only", "nonsense"), 2, "there are one-posting-bid-once"),
        (("--against", __file__, "--only", "latency-p50"), 2, "is no JSON that `bidlock bench --json` wrote"),
        (("--flavour", "redis-0.1", "--only", "latency-p50"), 2, "--url"),
        (("--url", "redis://:secret@127.0.0.1:{port}/0", "--only", "latency-p50"), 4, "does not answer"),
    ],
    ids=["unknown row", "no earlier run", "unknown server", "nobody listens"],
)
def test_what_cannot_run_says_what_to_do(tmp_path: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    done = bench(tmp_path, *(argument.format(port=free_port()) for argument in arguments))
    assert done.returncode == code
    assert said in " ".join(done.stderr.replace("│", "").split())
    assert "secret" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
