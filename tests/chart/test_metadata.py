"""What the chart says of itself is so."""

import pytest
import yaml
from bidlock_chart.helm import CHART

import bidlock


@pytest.fixture(scope="module")
def chart():
    return yaml.safe_load((CHART / "Chart.yaml").read_text())


@pytest.fixture(scope="module")
def told(chart):
    return {name.partition("/")[2]: value for name, value in chart["annotations"].items()}


def test_the_chart_has_the_version_of_everything_else(chart):
    assert (chart["version"], chart["appVersion"]) == (bidlock.__version__, bidlock.__version__)


def test_the_images_it_tells_of_are_those_it_uses(told, rendered):
    (deployment,) = [one for one in rendered if one["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    used = {variable["value"] for variable in container["env"] if variable["name"].endswith("_IMAGE")} | {container["image"]}

    assert {image["image"] for image in yaml.safe_load(told["images"])} == used


def test_the_definitions_it_tells_of_are_those_it_brings(told, rendered):
    brought = [(one["spec"]["names"]["kind"], one["metadata"]["name"]) for one in rendered if one["kind"] == "CustomResourceDefinition"]

    assert [(crd["kind"], crd["name"]) for crd in yaml.safe_load(told["crds"])] == brought
