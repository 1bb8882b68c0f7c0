"""redis.conf."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bidlock_operator.manifests import redisconf

names = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True) | st.sampled_from(
    ["appendonly", "appendfsync", "maxmemory-policy", "aof-load-truncated", "save", "user", "aclfile", "replicaof", "dir"]
)


def lines(text):
    return dict(line.split(" ", 1) for line in text.splitlines() if not line.startswith("#"))


def test_a_strict_server_answers_only_after_the_disk_has_it(policy):
    found = lines(redisconf.render(policy()))

    assert {name: found[name] for name in ("appendonly", "appendfsync", "no-appendfsync-on-rewrite", "aof-load-truncated")} == {
        "appendonly": "yes",
        "appendfsync": "always",
        "no-appendfsync-on-rewrite": "no",
        "aof-load-truncated": "yes",
    }


def test_a_server_that_need_not_be_durable_is_faster(policy):
    assert lines(redisconf.render(policy(redis={"durability": "None"})))["appendfsync"] == "everysec"


@pytest.mark.parametrize(
    ("limit", "bytes_"), [("256Mi", 201326592), ("1Gi", 805306368), (1000000000, 750000000), ("1G", 750000000), ("64Mi", 50331648)]
)
def test_three_quarters_of_the_memory_limit_are_for_data(policy, limit, bytes_):
    assert redisconf.maxmemory(policy(redis={"resources": {"limits": {"memory": limit}}})) == bytes_


def test_a_directive_of_the_users_is_written(policy):
    assert lines(redisconf.render(policy(redis={"config": {"slowlog-max-len": "5"}})))["slowlog-max-len"] == "5"


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(names, st.from_regex(r"[ -~]{0,20}", fullmatch=True), max_size=8))
def test_no_directive_of_the_users_changes_what_the_lock_needs(config):
    from bidlock_operator import policies  # a fixture cannot be asked for in a property

    body = {"metadata": {"name": "p", "uid": "u"}, "spec": {"phase": "SQLite", "bidder": {"template": {}}, "redis": {"config": config}}}
    policy = policies.read(body)
    text = redisconf.render(policy)

    assert lines(text).items() >= redisconf.directives(policy).items()
    assert len(text.splitlines()) == 1 + len(lines(text))


def test_the_definition_refuses_the_directives_that_the_operator_writes(definition, policy):
    """Names and families are written down twice, once in CEL and once here: they are the same."""
    rules = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["redis"]["properties"][
        "config"
    ]
    rule = next(rule["rule"] for rule in rules["x-kubernetes-validations"] if "startsWith" in rule["rule"])
    names = set(re.findall(r"'([a-z-]+)'", rule[: rule.index("startsWith")].rpartition("]")[0]))
    families = tuple(re.findall(r"startsWith\('([a-z-]+)'\)", rule))

    assert families == redisconf.FORBIDDEN_PREFIXES
    ours = {name for name in redisconf.directives(policy(redis={"tls": {"secretName": "tls"}})) if not name.startswith(families)}
    assert names >= ours | redisconf._FORBIDDEN
