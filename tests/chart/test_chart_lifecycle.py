"""A release's life on a real API server, with no Pod: install, upgrade, uninstall, and again.

What runs is tested in tests/e2e_chart, with images.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from chart.rendering import CHART, Helm
from kubernetes import client
from support.crds import apply_crds
from support.operator_process import wait_for

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

Kubectl = Callable[..., subprocess.CompletedProcess[str]]
STILL: dict[str, Any] = {
    "replicas": 0,
    "embedder": {"replicas": 0},
    "rbac": {"aggregate": False},
    "crds": {"enabled": False},
}
GROUP, VERSION = "kausa.dev", "v1alpha1"
CRDS = {"failurediagnoses.kausa.dev", "runbooks.kausa.dev"}


def runbook(name: str) -> dict[str, Any]:
    return {"name": name, "title": f"About {name}", "content": "Ask the platform team."}


@pytest.fixture
def release(installing: Helm, restricted: str) -> Iterator[Callable[..., str]]:
    """Bring a release to values, and say what Helm said; it is uninstalled afterwards."""

    def bring(values: dict[str, Any], *more: str) -> str:
        done = installing.run(
            *("upgrade", "--install", restricted, str(CHART), "-n", restricted, *more),
            values={"fullnameOverride": restricted, **values},
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    yield bring
    installing.run("uninstall", restricted, "-n", restricted, "--ignore-not-found", timeout=120)


def secrets(api: Any, namespace: str) -> dict[str, dict[str, str]]:
    found = client.CoreV1Api(api).list_namespaced_secret(namespace).items
    return {each.metadata.name: each.data for each in found if "sh.helm" not in each.metadata.name}


def runbooks(api: Any, namespace: str) -> list[str]:
    found = client.CustomObjectsApi(api).list_namespaced_custom_object(
        GROUP, VERSION, namespace, "runbooks"
    )
    return sorted(each["metadata"]["name"] for each in found["items"])


def test_secrets_are_made_once_and_the_key_outlives_the_release(
    release: Callable[..., str], installing: Helm, api: Any, restricted: str
) -> None:
    release(STILL)
    first = secrets(api, restricted)
    assert sorted(first) == [f"{restricted}-embedder-token", f"{restricted}-redaction"]
    release({**STILL, "logging": {"level": "debug"}})
    assert secrets(api, restricted) == first
    done = installing.run("uninstall", restricted, "-n", restricted)
    assert done.returncode == 0, done.stderr
    left = secrets(api, restricted)
    assert list(left) == [f"{restricted}-redaction"]
    release(STILL)
    again = secrets(api, restricted)
    assert again[f"{restricted}-redaction"] == first[f"{restricted}-redaction"]


def test_uninstalling_leaves_what_is_kept_and_nothing_else(
    release: Callable[..., str], installing: Helm, kubectl: Kubectl, restricted: str
) -> None:
    release(
        {
            **STILL,
            "rbac": {"dryRun": True},
            "embedder": {"replicas": 0, "autoscaling": {"enabled": True}},
            "metrics": {"dashboard": {"enabled": True}},
            "runbooks": [runbook("mirror")],
        }
    )
    done = installing.run("uninstall", restricted, "-n", restricted)
    assert done.returncode == 0, done.stderr
    named = kubectl("api-resources", "--verbs=list", "-o", "name").stdout.split()
    mine = f"app.kubernetes.io/instance={restricted}"

    def left() -> list[str]:
        return sorted(
            kubectl("get", ",".join(named), "-A", "-l", mine, "-o", "name").stdout.split()
        )

    kept = [f"persistentvolumeclaim/{restricted}-memory", f"secret/{restricted}-redaction"]
    # The autoscaler's worker had a Pod, which ends in its own time.
    wait_for(lambda: left() == kept, what=f"all but {kept} to go")
    assert left() == kept


def test_with_the_crds_in_the_same_release_runbooks_come_change_and_go(
    release: Callable[..., str],
    installing: Helm,
    kubectl: Kubectl,
    kubeconfig: str,
    api: Any,
    restricted: str,
) -> None:
    kubectl("delete", "crd", "--ignore-not-found", *CRDS)
    definitions = client.ApiextensionsV1Api(api)

    def defined() -> set[str]:
        found = definitions.list_custom_resource_definition().items
        return {each.metadata.name for each in found} & CRDS

    try:
        wait_for(lambda: not defined(), what="the CRDs to go")
        values = {**STILL, "crds": {"keep": False}}
        release({**values, "runbooks": [runbook("one"), runbook("two")]})
        assert defined() == CRDS
        assert runbooks(api, restricted) == ["one", "two"]
        release({**values, "runbooks": [runbook("two"), runbook("three")]})
        release({**values, "runbooks": [runbook("three")]})
        assert runbooks(api, restricted) == ["three"]
        done = installing.run("uninstall", restricted, "-n", restricted)
        assert done.returncode == 0, done.stderr
        wait_for(lambda: not defined(), what="the CRDs to go with the release")

        # One that is uninstalled without an upgrade in between: its hooks take them away.
        release({**STILL, "crds": {"keep": True}, "runbooks": [runbook("one")]})
        assert runbooks(api, restricted) == ["one"]
        done = installing.run("uninstall", restricted, "-n", restricted)
        assert done.returncode == 0, done.stderr
        assert defined() == CRDS
        assert runbooks(api, restricted) == []
    finally:
        kubectl("delete", "crd", "--ignore-not-found", *CRDS)
        wait_for(lambda: not defined(), what="the CRDs to go")
        apply_crds(kubeconfig)


def test_what_helm_says_leads_on(release: Callable[..., str], restricted: str) -> None:
    said = release(STILL)
    assert f"kubectl rollout status deployment/{restricted} -n {restricted}" in said
    claim = "If the operator's Pod stays Pending, its claim waits for a volume"
    assert claim in said
    said = release({**STILL, "memory": {"embedded": {"persistence": {"enabled": False}}}})
    assert claim not in said


def test_who_scales_by_what_nobody_may_read_is_told_so(
    release: Callable[..., str], restricted: str
) -> None:
    warned = "by which it is to be scaled: name Prometheus in networkPolicy.embedderMetricsFrom"
    scaling = {"enabled": True, "maxReplicas": 1, "queueWait": {"enabled": True}}
    values = {**STILL, "embedder": {"autoscaling": scaling}}
    assert warned in release(values)
    prometheus = [{"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}]
    assert warned not in release({**values, "networkPolicy": {"embedderMetricsFrom": prometheus}})
