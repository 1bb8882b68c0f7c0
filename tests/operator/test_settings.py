"""The operator's own settings."""

from __future__ import annotations

import pytest

from bidlock.errors import ConfigurationError
from bidlock_operator.settings import Settings


def test_an_empty_environment_gives_the_defaults():
    assert Settings.read({}) == Settings()


def test_every_setting_is_read_from_its_variable():
    environment = {
        "BIDLOCK_OPERATOR_NAMESPACES": "bids, staging ,",
        "BIDLOCK_OPERATOR_LOG_FORMAT": "text",
        "BIDLOCK_OPERATOR_LOG_LEVEL": "DEBUG",
        "BIDLOCK_OPERATOR_API_TIMEOUT": "2.5",
    }

    assert Settings.read(environment) == Settings(("bids", "staging"), "text", "debug", 2.5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "loud"),
        ("API_TIMEOUT", "soon"),
        ("API_TIMEOUT", "0"),
        ("API_TIMEOUT", "-1"),
        ("API_TIMEOUT", "nan"),
    ],
)
def test_an_invalid_value_is_refused_by_the_name_of_its_variable(name, value):
    with pytest.raises(ConfigurationError, match=f"BIDLOCK_OPERATOR_{name}='{value}'"):
        Settings.read({f"BIDLOCK_OPERATOR_{name}": value})
