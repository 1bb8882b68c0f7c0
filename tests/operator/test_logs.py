"""What the operator's log looks like."""

from __future__ import annotations

import json
import logging

import pytest
import structlog

from bidlock_operator import logs
from bidlock_operator.settings import Settings


@pytest.fixture(autouse=True)
def restored_logging():
    """Logging is the process's; give it back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def last_line(capsys):
    return json.loads(capsys.readouterr().err.splitlines()[-1])


def test_our_lines_are_one_object_each(capsys):
    logs.configure(Settings())

    structlog.stdlib.get_logger("bidlock_operator").info("policy seen", phase="RedisOnly")

    line = last_line(capsys)
    assert (line["event"], line["phase"], line["level"], line["logger"]) == ("policy seen", "RedisOnly", "info", "bidlock_operator")


def test_lines_of_kopf_name_their_object(capsys):
    logs.configure(Settings())

    logging.getLogger("kopf.objects").warning("handler failed", extra={"k8s_ref": {"namespace": "bids", "name": "arbitrage"}})

    assert last_line(capsys)["object"] == "bids/arbitrage"


def test_lines_below_the_level_are_left_out(capsys):
    logs.configure(Settings(log_level="warning"))

    structlog.stdlib.get_logger("bidlock_operator").info("policy seen")

    assert capsys.readouterr().err == ""
