"""The objects of the default values, as a file to read and to review. `make chart` renews it."""

import os
from pathlib import Path

from bidlock_chart.helm import CHART

SNAPSHOT = Path(__file__).parent / "defaults.yaml"
RENEW = "BIDLOCK_RENEW"


def without_the_definition(text):
    """The definition is a file of its own, and long."""
    documents = text.split("---\n")
    return "---\n".join(one for one in documents if "kind: CustomResourceDefinition" not in one)


def test_the_default_values_give_the_objects_of_the_snapshot(helm):
    now = without_the_definition(helm("template", "bidlock", CHART, "--namespace", "locks"))
    if os.environ.get(RENEW):
        SNAPSHOT.write_text(now)

    assert now == SNAPSHOT.read_text(), "renew it by `make chart`, and read the difference"
