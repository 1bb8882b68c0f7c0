"""When a child has to be applied again."""

from __future__ import annotations

from typing import Any

import pytest

from bidlock_operator.acting.applying import looks


def claim(**changes: Any):
    metadata = {"uid": "u", "resourceVersion": "1", "labels": {"a": "b"}, "annotations": {}} | changes.pop("metadata", {})
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": {"size": 1}, "status": {}} | changes


@pytest.mark.parametrize(
    "reported",
    [
        {"metadata": {"resourceVersion": "2", "annotations": {"volume.kubernetes.io/selected-node": "n"}}},
        {"metadata": {"resourceVersion": "2"}, "status": {"phase": "Bound"}},
    ],
    ids=["an annotation", "a status"],
)
def test_what_a_controller_reports_on_a_child_without_a_generation_does_not_matter(reported):
    assert looks(claim(**reported)) == looks(claim())


@pytest.mark.parametrize(
    "changed",
    [
        {"spec": {"size": 2}},
        {"data": {"redis.conf": "x"}},
        {"metadata": {"labels": {"a": "c"}}},
        {"metadata": {"uid": "other"}},
        {"metadata": {"ownerReferences": [{"uid": "p"}]}},
    ],
    ids=["its spec", "its data", "its labels", "another object", "its owner"],
)
def test_what_somebody_changes_matters(changed):
    assert looks(claim(**changed)) != looks(claim())


def test_a_generation_counts_the_changes_of_a_spec():
    grown = {"metadata": {"generation": 2}}

    assert looks(claim(**grown)) != looks(claim(metadata={"generation": 1}))
    assert looks(claim(**grown, status={"replicas": 1})) == looks(claim(**grown))
