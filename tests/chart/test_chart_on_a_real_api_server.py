"""What only a real API server can say of the chart: that it takes all of it; who may do what."""

from __future__ import annotations

import base64
import copy
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from chart.rendering import EVERYTHING, Rendered, nested
from kubernetes import client

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

Render = Callable[..., Rendered]
Kubectl = Callable[..., subprocess.CompletedProcess[str]]
WRITES = ("create", "update", "patch", "delete", "deletecollection")
READS = ("get", "list", "watch")


# -- what is taken ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {},
        EVERYTHING,
        {"watch": {"namespace": "default"}, "rbac": {"dryRun": True}},
        {"memory": {"mode": "none"}},
        {"embedder": {"gpu": {"enabled": True}, "model": {"volume": {"emptyDir": {}}}}},
        nested("memory.embedded.persistence.enabled", False),
        nested("metrics.dashboard.enabled", True),
    ],
    ids=["defaults", "everything", "one-namespace", "no-memory", "gpu", "emptydir", "dashboard"],
)
def test_all_manifests_are_taken_to_the_last_field(
    render: Render, kubectl: Kubectl, restricted: str, values: dict[str, Any]
) -> None:
    manifests = render({"priorityClassName": "", **values}, namespace=restricted).manifests
    # Of a Pod's account the API server wants to see that it is there, also of a dry run's.
    kubectl("create", "serviceaccount", "kausa", "-n", restricted)
    done = kubectl(
        *("apply", "--server-side", "--dry-run=server", "--validate=strict", "--force-conflicts"),
        *("--field-manager=kausa-tests", "-f", "-"),
        manifests=manifests,
    )
    assert done.returncode == 0, done.stderr
    # A Deployment whose Pods would be refused is taken with a warning.
    assert "would violate PodSecurity" not in done.stderr
    assert done.stdout.count("serverside-applied") >= len(manifests) - 2


def as_pods(found: Rendered) -> Iterator[dict[str, Any]]:
    for number, pod in enumerate(found.pods().values()):
        # The account is of no matter here, and does not exist.
        spec = {**pod["spec"], "serviceAccountName": "default"}
        yield {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"pod-{number}", "labels": pod["metadata"]["labels"]},
            "spec": {"restartPolicy": "Always", **spec},
        }


@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["defaults", "everything"])
def test_a_namespace_for_restricted_pods_takes_ours_and_refuses_others(
    render: Render, kubectl: Kubectl, restricted: str, values: dict[str, Any]
) -> None:
    pods = list(as_pods(render({**values, "priorityClassName": ""}, namespace=restricted)))
    assert len(pods) >= 3
    create = ("create", "--dry-run=server", "-n", restricted, "-f", "-")
    done = kubectl(*create, manifests=pods)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("created") == len(pods)
    for pod in pods:
        as_root = copy.deepcopy(pod)
        as_root["spec"]["securityContext"] = {"runAsUser": 0}
        refused = kubectl(*create, manifests=[as_root])
        assert "violates PodSecurity" in refused.stderr


# -- who may do what -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Kind:
    """A resource, or a part of one, that the API server has."""

    group: str
    resource: str
    subresource: str
    namespaced: bool


def kinds(kubectl: Kubectl) -> Iterator[Kind]:
    """All that this API server has, in every version's name once."""

    def ask(path: str) -> Any:
        return json.loads(kubectl("get", "--raw", path).stdout)

    versions = [each for group in ask("/apis")["groups"] for each in group["versions"]]
    groups = {f"/apis/{each['groupVersion']}": each["groupVersion"] for each in versions}
    seen: set[Kind] = set()
    for path, version in {"/api/v1": "/v1", **groups}.items():
        for each in ask(path)["resources"]:
            resource, _, subresource = each["name"].partition("/")
            kind = Kind(version.rpartition("/")[0], resource, subresource, each["namespaced"])
            if kind not in seen:
                seen.add(kind)
                yield kind


@pytest.fixture
def may(api: Any) -> Callable[..., bool]:
    """Ask the API server whether a ServiceAccount may do something."""
    authorization = client.AuthorizationV1Api(api)

    def ask(
        account: tuple[str, str], verb: str, kind: Kind, namespace: str, name: str = ""
    ) -> bool:
        home, account_name = account
        review = authorization.create_subject_access_review(
            {
                "spec": {
                    "user": f"system:serviceaccount:{home}:{account_name}",
                    "groups": [
                        "system:serviceaccounts",
                        f"system:serviceaccounts:{home}",
                        "system:authenticated",
                    ],
                    "resourceAttributes": {
                        "verb": verb,
                        "group": kind.group,
                        "resource": kind.resource,
                        "subresource": kind.subresource,
                        "namespace": namespace if kind.namespaced else "",
                        "name": name,
                    },
                }
            }
        )
        return bool(review.status.allowed)

    return ask


@pytest.fixture
def account(
    render: Render, kubectl: Kubectl, restricted: str
) -> Iterator[Callable[..., tuple[str, str]]]:
    """The operator's account with the roles that the chart gives it, gone afterwards."""
    made: list[dict[str, Any]] = []

    def make(values: dict[str, Any]) -> tuple[str, str]:
        found = render(
            {**values, "fullnameOverride": restricted, "crds": {"enabled": False}},
            namespace=restricted,
        )
        made.extend(
            each
            for each in found.manifests
            if each["kind"].startswith(("ClusterRole", "Role", "ServiceAccount"))
        )
        done = kubectl("apply", "-f", "-", manifests=made)
        assert done.returncode == 0, done.stderr
        return restricted, restricted

    yield make
    kubectl("delete", "--ignore-not-found", "-f", "-", manifests=made)


def test_of_all_kinds_the_operator_writes_its_own_only_and_sees_no_secret(
    kubectl: Kubectl,
    may: Callable[..., bool],
    account: Callable[..., tuple[str, str]],
    restricted: str,
) -> None:
    ours, nobody = account({}), (restricted, "default")
    every = list(kinds(kubectl))
    assert len(every) > 100
    found: set[tuple[str, str, str]] = set()
    for kind in every:
        for namespace in ("default", restricted) if kind.namespaced else ("",):
            for verb in WRITES:
                # What every account may do, such as asking what it may do itself, is not ours.
                if may(ours, verb, kind, namespace) and not may(nobody, verb, kind, namespace):
                    where = "home" if namespace == restricted and kind.resource == "leases" else ""
                    part = f"/{kind.subresource}" if kind.subresource else ""
                    found.add((verb, f"{kind.resource}{part}.{kind.group}", where))
    assert found == {
        ("create", "events.", ""),
        ("create", "leases.coordination.k8s.io", "home"),
        ("create", "failurediagnoses.kausa.dev", ""),
        ("patch", "failurediagnoses.kausa.dev", ""),
        ("patch", "failurediagnoses/status.kausa.dev", ""),
        ("patch", "runbooks/status.kausa.dev", ""),
    }
    lease = Kind("coordination.k8s.io", "leases", "", True)
    assert may(ours, "update", lease, restricted, "kausa")
    assert not may(ours, "update", lease, restricted, "other")
    assert not may(ours, "update", lease, "kube-system", "kausa")
    secret = Kind("", "secrets", "", True)
    for namespace in ("", "default", restricted, "kube-system"):
        for verb in READS:
            assert not may(ours, verb, secret, namespace)
    for part in ("exec", "attach", "portforward", "proxy", "ephemeralcontainers"):
        assert not may(ours, "get", Kind("", "pods", part, True), "default")
    assert may(ours, "list", Kind("", "pods", "", True), ""), "the roles are bound at all"


def test_for_one_namespace_the_operator_sees_nothing_of_others(
    kubectl: Kubectl,
    may: Callable[..., bool],
    account: Callable[..., tuple[str, str]],
    restricted: str,
) -> None:
    ours, nobody = account(nested("watch.namespace", restricted)), (restricted, "default")
    for kind in kinds(kubectl):
        for verb in ("get", "list", "create", "patch"):
            elsewhere = may(ours, verb, kind, "default")
            assert elsewhere == may(nobody, verb, kind, "default"), (verb, kind)
    pods = Kind("", "pods", "", True)
    assert may(ours, "list", pods, restricted)
    assert not may(ours, "list", Kind("", "secrets", "", True), restricted)


def test_a_right_to_dry_runs_is_no_right_to_anything_else(
    may: Callable[..., bool], account: Callable[..., tuple[str, str]]
) -> None:
    ours = account(nested("rbac.dryRun", True))
    deployments = Kind("apps", "deployments", "", True)
    assert may(ours, "patch", deployments, "default")
    for verb in ("create", "update", "delete", "deletecollection"):
        assert not may(ours, verb, deployments, "default")
    assert not may(ours, "patch", Kind("apps", "deployments", "scale", True), "default")


@pytest.mark.parametrize("bound", [True, False])
def test_the_pod_of_helm_test_lists_with_the_operators_rights(
    render: Render,
    kubectl: Kubectl,
    kubeconfig: str,
    account: Callable[..., tuple[str, str]],
    restricted: str,
    tmp_path: Path,
    bound: bool,
) -> None:
    _, name = account({}) if bound else (restricted, "default")
    pod = render(namespace=restricted).one("Pod", "kausa-test")["spec"]["containers"][0]
    script, *_, listed = pod["args"]
    cluster = yaml.safe_load(Path(kubeconfig).read_text())["clusters"][0]["cluster"]
    server = urlsplit(cluster["server"])
    authority = cluster.get("certificate-authority-data")
    if authority:
        (tmp_path / "ca.crt").write_bytes(base64.b64decode(authority))
    else:
        (tmp_path / "ca.crt").write_text(Path(cluster["certificate-authority"]).read_text())
    (tmp_path / "token").write_text(kubectl("create", "token", name, "-n", restricted).stdout)
    here = script.replace("/var/run/secrets/kubernetes.io/serviceaccount", str(tmp_path))
    impatient = here.replace("PATIENCE_SECONDS = 45.0", "PATIENCE_SECONDS = 0.1")
    done = subprocess.run(
        [sys.executable, "-c", impatient, listed],
        env={
            "KUBERNETES_SERVICE_HOST": str(server.hostname),
            "KUBERNETES_SERVICE_PORT": str(server.port),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if bound:
        assert (done.returncode, done.stdout) == (0, f"{listed}: ok\n"), done.stderr
    else:
        assert done.returncode == 1
        assert "answered 403" in done.stdout
