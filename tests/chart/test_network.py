"""The operator may reach what it has to reach."""

from bidlock_operator.manifests import agent, redisconf


def test_the_network_policy_lets_the_operator_reach_its_stores(rendered):
    (policy,) = [one for one in rendered if one["kind"] == "NetworkPolicy"]
    anywhere = {port["port"] for rule in policy["spec"]["egress"] if "to" not in rule for port in rule["ports"]}

    assert {agent.PORT, redisconf.PORT, redisconf.TLS_PORT} <= anywhere


def test_the_network_policy_lets_everybody_read_metrics_and_nothing_else(rendered):
    (policy,) = [one for one in rendered if one["kind"] == "NetworkPolicy"]

    assert policy["spec"]["ingress"] == [{"ports": [{"port": "http"}]}]
