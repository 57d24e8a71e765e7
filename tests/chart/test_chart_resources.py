"""CRDs, Runbooks, what watches the operator, `helm test` and the notes, for every switch."""

from __future__ import annotations

import ast
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart.rendering import CHART, EVERYTHING, NAMESPACE, REPOSITORY, Helm, Rendered, nested

pytestmark = pytest.mark.chart

Render = Callable[..., Rendered]
RUNBOOK = {
    "name": "mirror",
    "title": 'The "mirror" is away',
    "content": "# What you see\nPulls time out: {{ .Values.none }}\n",
    "match": {"reasons": ["ErrImagePull"], "labels": [{"key": "team", "value": "shop"}]},
}
OURS = ("kausa.dev/v1alpha1/Runbook",)


# -- CRDs ------------------------------------------------------------------------------------------


def test_the_crds_are_those_that_are_generated_and_stay_when_the_release_goes(
    defaults: Rendered, render: Render
) -> None:
    for path in (REPOSITORY / "crds").glob("*.yaml"):
        generated = yaml.safe_load(path.read_text())
        rendered = defaults.one("CustomResourceDefinition", generated["metadata"]["name"])
        assert rendered["spec"] == generated["spec"]
        kept = {"helm.sh/resource-policy": "keep"}
        assert rendered["metadata"]["annotations"] == kept
        labels = rendered["metadata"]["labels"]
        assert labels == {
            **generated["metadata"]["labels"],
            "app.kubernetes.io/managed-by": "Helm",
        }
    for crd in render(nested("crds.keep", False)).all("CustomResourceDefinition"):
        assert "annotations" not in crd["metadata"]
    assert not render(nested("crds.enabled", False)).all("CustomResourceDefinition")


# -- Runbooks --------------------------------------------------------------------------------------


def test_runbooks_of_values_become_resources_at_home(render: Render) -> None:
    found = render({"runbooks": [RUNBOOK]}, api_versions=OURS).one("Runbook", "mirror")
    assert found["metadata"]["namespace"] == NAMESPACE
    assert "annotations" not in found["metadata"]
    assert found["spec"] == {key: RUNBOOK[key] for key in ("title", "content", "match")}
    namespaced = render({"runbooks": [RUNBOOK], "watch": {"namespace": "shop"}}, api_versions=OURS)
    assert namespaced.one("Runbook", "mirror")["metadata"]["namespace"] == "shop"


def test_runbooks_follow_as_hooks_where_their_kind_is_not_known_yet(render: Render) -> None:
    comes, goes = render({"runbooks": [RUNBOOK]}).all("Runbook")
    assert comes["spec"] == goes["spec"]
    annotations = comes["metadata"]["annotations"]
    assert annotations["helm.sh/hook"] == "post-install,post-upgrade"
    assert "hook-succeeded" not in annotations["helm.sh/hook-delete-policy"]
    assert goes["metadata"]["annotations"]["helm.sh/hook"] == "pre-delete"
    assert "hook-succeeded" in goes["metadata"]["annotations"]["helm.sh/hook-delete-policy"]
    # By these an upgrade takes over what a hook has made.
    assert annotations["meta.helm.sh/release-name"] == "kausa"
    assert comes["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "Helm"
    known = render({"runbooks": [RUNBOOK], "crds": {"enabled": False}}).all("Runbook")
    assert len(known) == 1


# -- metrics ---------------------------------------------------------------------------------------


def test_nothing_of_prometheus_or_grafana_is_made_unless_asked_for(defaults: Rendered) -> None:
    kinds = {each["kind"] for each in defaults.manifests}
    assert not kinds & {"ServiceMonitor", "PodMonitor", "PrometheusRule", "ConfigMap"}


@pytest.mark.parametrize(
    ("switch", "kind", "key"),
    [
        ("serviceMonitor", "ServiceMonitor", "endpoints"),
        ("podMonitor", "PodMonitor", "podMetricsEndpoints"),
    ],
)
def test_a_monitor_reads_both_parts_by_ports_that_are_there(
    render: Render, switch: str, kind: str, key: str
) -> None:
    asked = {"enabled": True, "interval": "7s", "labels": {"release": "prometheus"}}
    found = render({"metrics": {switch: asked}})
    monitor = found.one(kind, "kausa")
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    endpoints = monitor["spec"][key]
    assert {each["interval"] for each in endpoints} == {"7s"}
    selector = monitor["spec"]["selector"]["matchLabels"].items()
    if kind == "ServiceMonitor":
        there = [
            port["name"]
            for service in found.all("Service")
            if selector <= service["metadata"]["labels"].items()
            for port in service["spec"]["ports"]
        ]
    else:
        there = [
            port["name"]
            for pod in found.pods().values()
            if selector <= pod["metadata"]["labels"].items()
            for container in pod["spec"]["containers"]
            for port in container.get("ports", [])
        ]
    assert sorted(each["port"] for each in endpoints) == sorted(there) == ["http", "metrics"]


def test_a_monitor_leaves_out_an_embedder_that_is_not_there_and_trusts_one_with_tls(
    render: Render,
) -> None:
    asked = {"metrics": {"podMonitor": {"enabled": True}}}
    without = render({**asked, "memory": {"mode": "none"}}).one("PodMonitor", "kausa")
    assert [each["port"] for each in without["spec"]["podMetricsEndpoints"]] == ["metrics"]
    tls = render({**asked, "embedder": {"tls": {"existingSecret": "tls"}}})
    _, worker = tls.one("PodMonitor", "kausa")["spec"]["podMetricsEndpoints"]
    assert worker["scheme"] == "https"
    assert worker["tlsConfig"]["ca"]["secret"] == {"name": "tls", "key": "ca.crt"}
    assert worker["tlsConfig"]["serverName"] == "kausa-embedder.kausa-system.svc"


def test_the_alerts_are_those_of_the_file_to_the_letter(render: Render) -> None:
    values = {"metrics": {"rules": {"enabled": True, "labels": {"release": "prometheus"}}}}
    rule = render(values).one("PrometheusRule", "kausa")
    assert rule["spec"] == yaml.safe_load((CHART / "files" / "alerts.yaml").read_text())
    assert rule["metadata"]["labels"]["release"] == "prometheus"


def test_the_dashboard_is_that_of_the_file_with_grafanas_label(render: Render) -> None:
    values = {"metrics": {"dashboard": {"enabled": True, "annotations": {"folder": "Ops"}}}}
    found = render(values).one("ConfigMap", "kausa-dashboard")
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert found["metadata"]["annotations"] == {"folder": "Ops"}
    shown = json.loads(found["data"]["kausa.json"])
    assert shown == json.loads((CHART / "files" / "dashboard.json").read_text())


# -- helm test -------------------------------------------------------------------------------------


def asked(found: Rendered) -> list[str]:
    (container,) = found.one("Pod", "kausa-test")["spec"]["containers"]
    assert container["command"] == ["python3", "-c"]
    script, *addresses = container["args"]
    ast.parse(script)
    assert script.strip() == (CHART / "files" / "ask_release.py").read_text().strip()
    return list(addresses)


def test_a_release_is_tested_by_asking_and_nothing_else(defaults: Rendered, render: Render) -> None:
    pod = defaults.one("Pod", "kausa-test")
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
    assert pod["spec"]["containers"][0]["image"] == defaults.container()["image"]
    assert asked(defaults) == [
        "http://kausa.kausa-system.svc:8080/readyz",
        "http://kausa-embedder.kausa-system.svc:8080/readyz",
        "/apis/kausa.dev/v1alpha1/failurediagnoses?limit=1",
    ]
    few = render({"memory": {"mode": "none"}, "watch": {"namespace": "shop"}})
    assert asked(few) == [
        "http://kausa.kausa-system.svc:8080/readyz",
        "/apis/kausa.dev/v1alpha1/namespaces/shop/failurediagnoses?limit=1",
    ]


def test_a_worker_with_tls_is_asked_with_its_authority(render: Render) -> None:
    found = render(nested("embedder.tls.existingSecret", "tls"))
    assert asked(found)[1].startswith("https://")
    spec = found.one("Pod", "kausa-test")["spec"]
    assert spec["volumes"][0]["secret"]["secretName"] == "tls"
    assert spec["containers"][0]["volumeMounts"][0]["mountPath"] == "/etc/kausa/embedder-tls"


# -- notes -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def with_shown_notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chart with its notes in a ConfigMap: Helm shows them only where it has a cluster."""
    chart = tmp_path_factory.mktemp("chart") / "kausa"
    shutil.copytree(CHART, chart)
    (chart / "templates" / "shown.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: notes}\ndata:\n  notes: |\n"
        '    {{- include (print $.Template.BasePath "/NOTES.txt") . | nindent 4 }}\n'
    )
    return chart


@pytest.mark.parametrize(
    ("values", "said", "unsaid"),
    [
        ({}, ["get failurediagnoses -A", "the claim kausa-memory", "model     none"], []),
        (nested("memory.mode", "none"), ["rules alone"], ["claim", "embedder"]),
        (nested("watch.namespace", "shop"), ["get failurediagnoses -n shop"], ["-A"]),
        (nested("networkPolicy.enabled", False), ["There are no NetworkPolicies"], []),
        (nested("embedder.auth.enabled", False), ["asks for no token"], []),
        (
            nested("memory.embedded.persistence.enabled", False),
            ["it goes with it"],
            ["kausa-memory"],
        ),
        (
            {},
            ["delete crd failure", "delete secret kausa-redaction", "delete pvc kausa-memory"],
            ["kausa-backup"],
        ),
        ({}, ["every FailureDiagnosis and Runbook of the whole cluster"], []),
        ({}, ["the Lease", "delete lease kausa -n kausa-system"], ["Nobody may read"]),
        (nested("watch.namespace", "shop"), ["delete lease kausa -n shop"], []),
        (
            nested("metrics.serviceMonitor.enabled", True),
            ["name Prometheus in networkPolicy.embedderMetricsFrom"],
            [],
        ),
        (nested("crds.keep", False), ["delete secret"], ["delete crd", "of the whole cluster"]),
        (nested("redaction.existingSecret", "mine"), ["delete crd"], ["delete secret"]),
        (EVERYTHING, ["delete pvc kausa-backup"], ["kausa-memory"]),
        (
            {"model": {"provider": "ollama", "url": "http://ollama:11434"}},
            ["ollama at http://ollama:11434"],
            [],
        ),
    ],
)
def test_the_notes_say_what_was_chosen_and_what_to_mind(
    helm: Helm,
    with_shown_notes: Path,
    values: dict[str, Any],
    said: list[str],
    unsaid: list[str],
) -> None:
    notes = helm.template(with_shown_notes, values).one("ConfigMap", "notes")["data"]["notes"]
    for each in said:
        assert each in notes
    for each in unsaid:
        assert each not in notes
