"""Who may do what: roles, NetworkPolicies, and what a Pod may be."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from chart.rendering import EVERYTHING, NAMESPACE, REPOSITORY, Rendered, nested

pytestmark = pytest.mark.chart

Render = Callable[..., Rendered]
Rights = set[tuple[str, str, str, str]]


def rights(rules: list[dict[str, Any]]) -> Rights:
    """Verb, group, resource and name of every rule."""
    return {
        (verb, group, resource, name)
        for rule in rules
        for verb in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for name in rule.get("resourceNames", [""])
    }


def of_file(name: str) -> Rights:
    return rights(yaml.safe_load((REPOSITORY / "hack" / name).read_text())["rules"])


def bindings(found: Rendered) -> Iterator[tuple[str, str, str, str]]:
    """Kind and name of each role that is bound, the binding's namespace, and to whom."""
    for each in found.all("ClusterRoleBinding") + found.all("RoleBinding"):
        (subject,) = each["subjects"]
        role = each["roleRef"]
        yield (
            role["kind"],
            role["name"],
            each["metadata"].get("namespace", ""),
            f"{subject['namespace']}/{subject['name']}",
        )


# -- roles -----------------------------------------------------------------------------------------


def test_for_a_cluster_the_roles_are_those_of_hack_and_the_lease_is_at_home(
    defaults: Rendered,
) -> None:
    cluster = rights(defaults.one("ClusterRole", "kausa")["rules"])
    home = rights(defaults.one("Role", "kausa")["rules"])
    assert cluster | home == of_file("rbac.yaml")
    assert {resource for _, _, resource, _ in home} == {"leases"}
    assert "leases" not in {resource for _, _, resource, _ in cluster}
    assert defaults.one("Role", "kausa")["metadata"]["namespace"] == NAMESPACE
    account = f"{NAMESPACE}/kausa"
    assert sorted(bindings(defaults)) == [
        ("ClusterRole", "kausa", "", account),
        ("Role", "kausa", NAMESPACE, account),
    ]


def test_for_one_namespace_there_is_one_role_in_it_and_nothing_of_the_cluster(
    render: Render,
) -> None:
    found = render(nested("watch.namespace", "shop"))
    assert rights(found.one("Role", "kausa")["rules"]) == of_file("rbac-namespaced.yaml")
    assert sorted(bindings(found)) == [("Role", "kausa", "shop", f"{NAMESPACE}/kausa")]
    assert found.names("ClusterRole") == ["kausa-edit", "kausa-view"]


@pytest.mark.parametrize(("namespace", "kind"), [("", "ClusterRole"), ("shop", "Role")])
def test_the_right_to_dry_runs_is_given_only_on_demand(
    render: Render, defaults: Rendered, namespace: str, kind: str
) -> None:
    assert "kausa-dry-run" not in defaults.names("ClusterRole")
    found = render({"rbac": {"dryRun": True}, "watch": {"namespace": namespace}})
    assert rights(found.one(kind, "kausa-dry-run")["rules"]) == of_file("rbac-dry-run.yaml")
    assert (kind, "kausa-dry-run", namespace, f"{NAMESPACE}/kausa") in set(bindings(found))


def test_no_role_of_the_operator_sees_a_secret_or_everything(render: Render) -> None:
    found = render({"rbac": {"dryRun": True}})
    for _, name, _, _ in bindings(found):
        for role in found.all("ClusterRole") + found.all("Role"):
            if role["metadata"]["name"] == name:
                given = rights(role["rules"])
                assert not [each for each in given if each[2] == "secrets" or "*" in each]


def test_viewers_view_and_editors_edit_what_people_write(
    defaults: Rendered, render: Render
) -> None:
    view, edit = (defaults.one("ClusterRole", f"kausa-{each}") for each in ("view", "edit"))
    aggregated = "rbac.authorization.k8s.io/aggregate-to-"
    assert {
        label.removeprefix(aggregated)
        for label in view["metadata"]["labels"]
        if aggregated in label
    } == {"view", "edit", "admin"}
    assert {
        label.removeprefix(aggregated)
        for label in edit["metadata"]["labels"]
        if aggregated in label
    } == {"edit", "admin"}
    assert {verb for verb, *_ in rights(view["rules"])} == {"get", "list", "watch"}
    resources = {resource for _, _, resource, _ in rights(view["rules"]) | rights(edit["rules"])}
    assert resources == {"failurediagnoses", "runbooks"}, "status is the operator's"
    assert not render(nested("rbac.aggregate", False)).all("ClusterRole")[1:]


def test_roles_and_account_can_be_ones_own(render: Render) -> None:
    found = render({"rbac": {"create": False}})
    assert not (found.all("ClusterRole") + found.all("Role") + list(bindings(found)))
    mine = render({"serviceAccount": {"create": False, "name": "mine"}})
    assert not mine.all("ServiceAccount")
    assert mine.pod()["serviceAccountName"] == "mine"
    assert {subject for *_, subject in bindings(mine)} == {f"{NAMESPACE}/mine"}
    named = render({"serviceAccount": {"name": "other", "annotations": {"a": "b"}}})
    account = named.one("ServiceAccount", "other")
    assert account["metadata"]["annotations"] == {"a": "b"}
    assert {subject for *_, subject in bindings(named)} == {f"{NAMESPACE}/other"}


def test_only_who_asks_the_api_server_gets_a_token(render: Render) -> None:
    found = render(EVERYTHING)
    for account in found.all("ServiceAccount"):
        assert account["automountServiceAccountToken"] is False
    with_token = {
        name
        for name, pod in found.pods().items()
        if pod["spec"]["automountServiceAccountToken"] is True
    }
    assert with_token == {"Deployment/kausa", "Pod/kausa-test"}


# -- Pods ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["defaults", "everything"])
def test_every_pod_is_as_restricted_wants_it(render: Render, values: dict[str, Any]) -> None:
    found = render(values).pods()
    assert {"Deployment/kausa", "Deployment/kausa-embedder", "Pod/kausa-test"} <= set(found)
    for pod in found.values():
        spec = pod["spec"]
        security = spec["securityContext"]
        assert security["runAsNonRoot"] is True
        assert security["runAsUser"] == 65532
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
        assert not [each for each in spec.get("volumes", []) if "hostPath" in each]
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["readOnlyRootFilesystem"] is True
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["requests"]
            assert container["resources"]["limits"]["memory"]


def test_who_may_write_nowhere_has_a_folder_for_temporary_files(render: Render) -> None:
    found = render(EVERYTHING)
    for deployment in found.names("Deployment"):
        mounted = {
            each["mountPath"]: each["name"] for each in found.container(deployment)["volumeMounts"]
        }
        volumes = {each["name"]: each for each in found.pod(deployment)["volumes"]}
        assert "emptyDir" in volumes[mounted["/tmp"]]
        assert found.environment(deployment)["HOME"] == "/tmp"


def test_users_of_openshift_are_its_own(render: Render) -> None:
    values = {"podSecurityContext": {"runAsUser": None, "runAsGroup": None, "fsGroup": None}}
    security = render(values).pod()["securityContext"]
    assert set(security) == {"runAsNonRoot", "fsGroupChangePolicy", "seccompProfile"}


# -- ways in and out -------------------------------------------------------------------------------


def policies(found: Rendered) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each["spec"] for each in found.all("NetworkPolicy")}


def ports(rules: list[dict[str, Any]]) -> list[list[Any]]:
    return [list(dict.fromkeys(each["port"] for each in rule["ports"])) for rule in rules]


def test_every_pod_is_cut_off_and_has_its_own_ways(render: Render) -> None:
    found = render(EVERYTHING)
    selected = policies(found)
    deny = selected.pop("kausa-deny")
    assert sorted(deny["policyTypes"]) == ["Egress", "Ingress"]
    assert not {"ingress", "egress"} & set(deny)
    for name, pod in found.pods().items():
        labels = pod["metadata"]["labels"].items()
        assert deny["podSelector"]["matchLabels"].items() <= labels, name
        own = [
            policy
            for policy, spec in selected.items()
            if spec["podSelector"]["matchLabels"].items() <= labels
        ]
        assert len(own) == 1, name


def test_the_operator_reaches_names_the_api_server_and_the_embedder(defaults: Rendered) -> None:
    spec = policies(defaults)["kausa"]
    assert ports(spec["egress"]) == [[53, 5353], [443, 6443, 8443, 16443], [8080]]
    dns, api, embedder = spec["egress"]
    assert {each["protocol"] for each in dns["ports"]} == {"UDP", "TCP"}
    assert "to" not in api
    (peer,) = embedder["to"]
    labels = peer["podSelector"]["matchLabels"]
    assert labels["app.kubernetes.io/component"] == "embedder"
    assert "namespaceSelector" not in peer


def test_the_embedder_reaches_nobody_and_is_reached_by_who_asks_it(defaults: Rendered) -> None:
    spec = policies(defaults)["kausa-embedder"]
    assert spec["egress"] == []
    (rule,) = spec["ingress"]
    assert [each["port"] for each in rule["ports"]] == ["http"]
    components = {
        each["podSelector"]["matchLabels"]["app.kubernetes.io/component"]
        for each in rule["from"]
        if "podSelector" in each
    }
    assert components == {"operator", "test"}
    assert all("podSelector" in each for each in rule["from"]), "not every Pod of the cluster"


def test_metrics_are_for_whom_is_named(render: Render) -> None:
    prometheus = {"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}
    given = {"metricsFrom": [prometheus], "embedderMetricsFrom": [prometheus]}
    found = policies(render({"networkPolicy": given}))
    assert found["kausa"]["ingress"][0]["from"] == [prometheus]
    assert prometheus in found["kausa-embedder"]["ingress"][0]["from"]
    nobody = policies(render(nested("networkPolicy.metricsFrom", [])))
    for spec in (nobody["kausa"], nobody["kausa-embedder"]):
        for rule in spec["ingress"]:
            assert all("podSelector" in each for each in rule["from"])


@pytest.mark.parametrize(
    ("values", "port", "to"),
    [
        (
            {"model": {"provider": "ollama", "url": "http://ollama:11434"}},
            "11434",
            "modelTo",
        ),
        (
            {"model": {"provider": "openai", "url": "https://m.example/v1", "simple": "m"}},
            "443",
            "modelTo",
        ),
        ({"tracing": {"endpoint": "http://[fd00::1]:4318"}}, "4318", "tracingTo"),
        ({"tracing": {"endpoint": "http://[fd00::1]"}}, "80", "tracingTo"),
        (
            {"embedder": {"mode": "external", "external": {"url": "http://tei:9000/v1"}}},
            "9000",
            "embedderTo",
        ),
        (
            {
                "clusterName": "a",
                "memory": {"mode": "external", "external": {"url": "https://q.example"}},
            },
            "6333",
            "memoryTo",
        ),
    ],
)
def test_what_is_asked_can_be_reached_on_its_port_and_nowhere_else_if_it_is_named(
    render: Render, values: dict[str, Any], port: str, to: str
) -> None:
    peer = {"ipBlock": {"cidr": "10.1.2.3/32"}}
    before = policies(render(values))["kausa"]["egress"]
    rule = next(each for each in before if ports([each]) == [[int(port)]])
    assert "to" not in rule
    named = {**values, "networkPolicy": {to: [peer]}}
    after = policies(render(named))["kausa"]["egress"]
    assert next(each for each in after if ports([each]) == [[int(port)]])["to"] == [peer]
    without = policies(render())["kausa"]["egress"]
    assert [int(port)] not in ports(without)


@pytest.mark.parametrize(
    ("values", "port", "more"),
    [
        ({"model": {"provider": "ollama", "url": "http://vllm.models.svc"}}, 80, "modelPorts"),
        ({"tracing": {"endpoint": "http://collector:4318"}}, 4318, "tracingPorts"),
        (
            {"embedder": {"mode": "external", "external": {"url": "http://tei"}}},
            80,
            "embedderPorts",
        ),
        (
            {
                "clusterName": "a",
                "memory": {"mode": "external", "external": {"url": "http://qdrant:80"}},
                "backup": {"enabled": True},
            },
            80,
            "memoryPorts",
        ),
    ],
)
def test_the_port_behind_a_service_can_be_opened_as_well_and_none_twice(
    render: Render, values: dict[str, Any], port: int, more: str
) -> None:
    found = policies(render({**values, "networkPolicy": {more: [8000, port]}}))
    assert [port, 8000] in ports(found["kausa"]["egress"])
    if "backup" in values:
        assert [port, 8000] in ports(found["kausa-backup"]["egress"])
    for spec in found.values():
        for rule in spec.get("egress") or []:
            both = [(each["port"], each["protocol"]) for each in rule["ports"]]
            assert len(both) == len(set(both))


def test_grpc_of_the_server_is_reached_by_the_operator_and_the_backup(render: Render) -> None:
    found = policies(render(EVERYTHING))
    for name in ("kausa", "kausa-backup"):
        assert [6333, 6334] in ports(found[name]["egress"])
    assert len(found["kausa-backup"]["egress"]) == 2
    assert "ingress" not in found["kausa-backup"]


def test_api_server_names_and_further_ways_can_be_told(render: Render) -> None:
    further = {"ports": [{"port": 3128, "protocol": "TCP"}]}
    resolver = {"namespaceSelector": {"matchLabels": {"name": "dns"}}}
    values = {
        "apiServer": {"ports": [6443], "cidrs": ["10.0.0.1/32", "10.0.0.2/32"]},
        "dns": {"to": [resolver], "ports": [53]},
        "extraEgress": [further],
    }
    dns, api, *_, last = policies(render({"networkPolicy": values}))["kausa"]["egress"]
    assert dns["to"] == [resolver]
    assert [each["ipBlock"]["cidr"] for each in api["to"]] == ["10.0.0.1/32", "10.0.0.2/32"]
    assert last == further
    values = {**EVERYTHING, "networkPolicy": {"extraEgress": [further]}}
    assert policies(render(values))["kausa-backup"]["egress"][-1] == further


def test_a_worker_that_fetches_a_model_may_leave_the_cluster(render: Render) -> None:
    model = {"download": True, "volume": {"emptyDir": {}}}
    spec = policies(render(nested("embedder.model", model)))["kausa-embedder"]
    assert ports(spec["egress"]) == [[53, 5353], [443]]


def test_each_way_is_told_in_the_docs_and_no_other(render: Render) -> None:
    """By Pod and direction; what each of them may reach is in the tests above."""
    external = {"mode": "external", "external": {"url": "http://tei:80"}}
    fetching = {"model": {"download": True, "volume": {"emptyDir": {}}}}
    there = {
        (spec["podSelector"]["matchLabels"]["app.kubernetes.io/component"], direction)
        for values in (EVERYTHING, {"embedder": external}, {"embedder": fetching})
        for name, spec in policies(render(values)).items()
        if name != "kausa-deny"
        for direction in ("ingress", "egress")
        if spec.get(direction)
    }
    page = (REPOSITORY / "docs" / "security.md").read_text()
    rows = re.findall(r"^\| (\w+) \| (in|out) \|", page, re.MULTILINE)
    assert {(pod, {"in": "ingress", "out": "egress"}[way]) for pod, way in rows} == there


def test_policies_can_be_left_out(render: Render) -> None:
    assert not render(nested("networkPolicy.enabled", False)).all("NetworkPolicy")
