"""The roles give what the operator asks for, and nothing else."""

import itertools

import pytest

from bidlock_operator.preflight import RIGHTS

KOPF = {("apiextensions.k8s.io", "customresourcedefinitions"): {"list", "watch"}, ("", "namespaces"): {"list", "watch"}}
"""What kopf looks at where it works in all namespaces; it does without where it may not."""

CLUSTER_KINDS = {"ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition"}


def granted(role):
    """Verbs by group and resource."""
    rights = {}
    for rule in role["rules"]:
        for place in itertools.product(rule["apiGroups"], rule["resources"]):
            rights.setdefault(place, set()).update(rule["verbs"])
    return rights


def needed():
    rights = {}
    for right in RIGHTS:
        name = f"{right.kind.plural}/{right.subresource}" if right.subresource else right.kind.plural
        rights.setdefault((right.kind.group, name), set()).update(right.verbs)
    return rights


def roles_of_the_operator(objects):
    """Of the operator itself; the Jobs and the people have others, and the Lease is looked at on its own."""
    names = {"bidlock", "locks-bidlock"}
    return [one for one in objects if one["kind"] in {"Role", "ClusterRole"} and one["metadata"]["name"] in names]


def test_in_all_namespaces_it_may_do_what_it_asks_for_and_look_at_kinds_and_namespaces(rendered):
    (role,) = roles_of_the_operator(rendered)

    assert (role["kind"], granted(role)) == ("ClusterRole", needed() | KOPF)


def test_in_some_namespaces_it_has_the_same_rights_in_each_and_none_on_the_cluster(helm):
    objects = helm.template({"scope": "Namespaces", "watchNamespaces": ["a", "b"], "crds": {"enabled": False}})

    roles = roles_of_the_operator(objects)
    assert [(role["kind"], role["metadata"]["namespace"], granted(role)) for role in roles] == [("Role", name, needed()) for name in "ab"]
    assert not [one for one in objects if one["kind"] in CLUSTER_KINDS]


def test_who_installs_the_definition_lets_policies_go_of_a_namespace_that_loses_its_roles(helm):
    objects = helm.template({"scope": "Namespaces", "watchNamespaces": ["a", "b"]})

    (role,) = [one for one in objects if one["kind"] == "ClusterRole" and one["metadata"]["name"] == "locks-bidlock-policies"]
    assert granted(role) == {("bidlock.io", "bidlockpolicies"): {"get", "list", "watch", "patch"}}
    (binding,) = [one for one in objects if one["kind"] == "ClusterRoleBinding" and one["roleRef"]["name"] == "locks-bidlock-policies"]
    assert [one["name"] for one in binding["subjects"]] == ["bidlock"]


@pytest.mark.parametrize("values", [{}, {"scope": "Namespaces"}, {"policies": [{"name": "a", "spec": {}}]}], ids=str)
def test_no_role_has_a_wildcard_or_lists_secrets(helm, values):
    roles = [granted(one) for one in helm.template(values) if one["kind"] in {"Role", "ClusterRole"}]

    assert roles
    assert not [place for role in roles for place, verbs in role.items() if "*" in {*place, *verbs}]
    assert not [verbs for role in roles for place, verbs in role.items() if place == ("", "secrets") and verbs & {"list", "watch"}]


def test_of_leases_it_may_change_its_own_alone(rendered):
    (role,) = [one for one in rendered if one["kind"] == "Role" and one["metadata"]["name"] == "bidlock-leader"]
    create, change = role["rules"]

    assert (create["verbs"], change["verbs"], change["resourceNames"]) == (["create"], ["get", "update"], ["bidlock"])


@pytest.mark.parametrize(
    ("role", "may"), [("view", {"get", "list", "watch"}), ("edit", {"create", "update", "patch", "delete", "deletecollection"})]
)
def test_people_who_may_view_or_edit_a_namespace_may_its_policies(rendered, role, may):
    (found,) = [
        one
        for one in rendered
        if one["metadata"].get("labels", {}).get(f"rbac.authorization.k8s.io/aggregate-to-{role}")
        and one["metadata"]["name"].endswith(role)
    ]

    assert granted(found)["bidlock.io", "bidlockpolicies"] == may
    assert "rbac.authorization.k8s.io/aggregate-to-admin" in found["metadata"]["labels"]
