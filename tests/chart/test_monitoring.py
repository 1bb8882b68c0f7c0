"""Alerts and dashboard speak of metrics that the operator has."""

import json
import re

import pytest
import yaml
from bidlock_chart.helm import CHART

from bidlock_operator.metrics import Metrics, PolicyFacts

NAME = re.compile(r"\bbidlock_\w+")
KNOWN = ["monitoring.coreos.com/v1"]


@pytest.fixture(scope="module")
def exported() -> set[str]:
    """Names of every series, as the operator exports them."""
    metrics = Metrics()
    metrics.passes.labels("n", "p").observe(1)
    metrics.errors.labels("n", "p", "Conflict").inc()
    metrics.actions.labels("n", "p", "settle", "done").inc()
    metrics.answers.labels("n", "p", "redis").observe(1)
    metrics.requests.labels("GET").inc()
    metrics.show("n", "p", PolicyFacts("SQLite", "SQLite", 1.0, {"sqlite": 1}, {"live": 1}, {"Ready": "True"}))
    return set(NAME.findall(metrics.text().decode()))


def expressions(node):
    if isinstance(node, dict):
        yield from (text for key, text in node.items() if key in {"expr", "query"} and isinstance(text, str))
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from expressions(child)


@pytest.mark.parametrize("file", ["alerts.yaml", "dashboard.json"])
def test_every_metric_that_is_asked_for_is_exported(exported, file):
    asked = {name for text in expressions(yaml.safe_load((CHART / "files" / file).read_text())) for name in NAME.findall(text)}

    assert asked
    assert asked <= exported


def test_every_alert_says_what_is_wrong_and_what_to_do():
    rules = [rule for group in yaml.safe_load((CHART / "files" / "alerts.yaml").read_text())["groups"] for rule in group["rules"]]

    assert all(
        rule["annotations"]["summary"] and rule["annotations"]["description"] and rule["labels"]["severity"] in {"warning", "critical"}
        for rule in rules
    )


@pytest.mark.parametrize(("value", "kind"), [("serviceMonitor", "ServiceMonitor"), ("prometheusRule", "PrometheusRule")])
def test_what_the_prometheus_operator_reads_needs_the_value_and_its_kind(helm, value, kind):
    def kinds(enabled, known):
        return {one["kind"] for one in helm.template({value: {"enabled": enabled}}, known=known)}

    assert [kind in kinds(enabled, known) for enabled in (True, False) for known in (KNOWN, [])] == [True, False, False, False]


def test_the_alerts_reach_the_cluster_with_the_braces_of_prometheus(helm):
    (rule,) = [one for one in helm.template({"prometheusRule": {"enabled": True}}, known=KNOWN) if one["kind"] == "PrometheusRule"]

    assert rule["spec"] == yaml.safe_load((CHART / "files" / "alerts.yaml").read_text())


def test_the_dashboard_is_found_by_its_label_and_is_json(helm):
    (found,) = [one for one in helm.template({"dashboard": {"enabled": True}}) if one["metadata"]["name"] == "bidlock-dashboard"]

    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(found["data"]["bidlock.json"])["title"] == "bidlock"
