"""What a `sqlite://` URL means."""

from __future__ import annotations

from pathlib import Path

import pytest

from bidlock.addresses import parse
from bidlock.errors import ConfigurationError
from bidlock_sqlite.options import Options


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///bids.db", Path.cwd() / "bids.db"),
        ("sqlite:///data/bids.db", Path.cwd() / "data/bids.db"),
        ("sqlite:///./bids.db", Path.cwd() / "bids.db"),
        ("sqlite:////var/lib/bids.db", Path("/var/lib/bids.db").resolve()),
        ("SQLite:////tmp/a%20b%3F.db", Path("/tmp/a b?.db").resolve()),
        ("sqlite:////tmp/Gebote–ü.db", Path("/tmp/Gebote–ü.db").resolve()),
    ],
)
def test_a_url_names_a_file_as_sqlalchemy_does(url, expected) -> None:
    assert Options.read(parse(url), 2.0).path == expected


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("sqlite://", "names no file"),
        ("sqlite:///", "names no file"),
        ("sqlite:////var/lib/", "names no file"),
        ("sqlite://bids.db", "takes no host"),
        ("sqlite://user:secret@host/bids.db", "takes no host"),
        ("sqlite:///:memory:", "memory://"),
        ("sqlite:///a%00b.db", "zero byte"),
        ("sqlite:///bids.db?mode=ro", "no option mode; it knows busy_timeout, synchronous"),
        ("sqlite:///bids.db?synchronous=OFF", "neither FULL nor NORMAL"),
        ("sqlite:///bids.db?busy_timeout=soon", "no number of seconds"),
        ("sqlite:///bids.db?busy_timeout=-1", "0 seconds or more"),
        ("sqlite:///bids.db?busy_timeout=nan", "0 seconds or more"),
    ],
)
def test_a_url_that_cannot_work_is_refused_with_a_remedy(url, told) -> None:
    with pytest.raises(ConfigurationError, match=told) as caught:
        Options.read(parse(url), 2.0)
    assert "secret" not in str(caught.value)


def test_options_overrule_the_client() -> None:
    options = Options.read(parse("sqlite:///b.db?busy_timeout=0.5&synchronous=normal"), 2.0)
    assert (options.busy_timeout, options.synchronous) == (0.5, "NORMAL")
    assert options.warnings
    assert Options.read(parse("sqlite:///b.db"), 2.0).busy_timeout == 2.0
