"""What was changed is told, and what is proposed is checked by the API server and never applied."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client, utils
from kubernetes.client.exceptions import ApiException
from support.cluster import REPOSITORY
from support.namespace import Namespace
from support.operator_process import OperatorProcess, wait_for
from support.workloads import deployment, shell

from kausa.cluster.client import KubernetesClient
from kausa.cluster.kubeconfig import load_kubeconfig
from kausa.diagnosis.finding import Diagnosis, Fix, Patch
from kausa.diagnosis.remediation.dry_run import DryRuns
from kausa.resources.category import Category
from kausa.resources.diagnosis import DecidedBy, DryRun

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

NEEDS_40_MIB = "x=$(yes | head -c 40000000); echo ready; sleep 3600"


@pytest.fixture
def account(
    api: Any, kubeconfig: str, namespace: Namespace, tmp_path: Path
) -> Iterator[Callable[..., str]]:
    """A kubeconfig for a ServiceAccount with the roles of these files of hack/."""
    rbac = client.RbacAuthorizationV1Api(api)
    made: list[str] = []

    def make(*files: str) -> str:
        name = f"{namespace.name}-operator"
        namespace.core.create_namespaced_service_account(
            namespace.name, {"metadata": {"name": name}}
        )
        subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace.name}
        for file in files:
            role = yaml.safe_load((REPOSITORY / "hack" / file).read_text())
            role["metadata"]["name"] = bound = f"{name}-{Path(file).stem}"
            made.append(bound)
            utils.create_from_dict(api, role)
            reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole"}
            rbac.create_cluster_role_binding(
                {
                    "metadata": {"name": bound},
                    "subjects": [subject],
                    "roleRef": {**reference, "name": bound},
                }
            )
        token = namespace.core.create_namespaced_service_account_token(
            name, namespace.name, {"spec": {}}
        ).status.token
        config = yaml.safe_load(Path(kubeconfig).read_text())
        config["users"] = [{"name": config["users"][0]["name"], "user": {"token": token}}]
        path = tmp_path / "account.kubeconfig"
        path.write_text(yaml.safe_dump(config))
        return str(path)

    yield make
    for name in made:
        with contextlib.suppress(ApiException):
            rbac.delete_cluster_role_binding(name)
        with contextlib.suppress(ApiException):
            rbac.delete_cluster_role(name)


def limited(memory: str) -> dict[str, Any]:
    resources = {"limits": {"memory": memory}, "requests": {"memory": "8Mi"}}
    return deployment("checkout", {"name": "api", **shell(NEEDS_40_MIB), "resources": resources})


def lower_the_limit(namespace: Namespace) -> None:
    """A rollout that works, and one with a limit that is too small for the same program."""
    namespace.apply(limited("256Mi"))
    wait_for(
        lambda: (
            namespace.apps.read_namespaced_deployment(
                "checkout", namespace.name
            ).status.ready_replicas
        ),
        what="the first revision to be ready",
    )
    namespace.apps.patch_namespaced_deployment("checkout", namespace.name, limited("16Mi"))


def told(namespace: Namespace) -> dict[str, Any]:
    """The status of its failure, once its patch was asked about."""

    def found() -> dict[str, Any] | None:
        for each in namespace.diagnoses():
            status: dict[str, Any] = each.get("status", {})
            steps = status.get("diagnosis", {}).get("remediation", [])
            if status.get("changes") and any(
                step.get("patch") and (step["dryRun"] != "NotRun" or "dryRunMessage" in step)
                for step in steps
            ):
                return status
        return None

    return wait_for(found, what="a diagnosis with a patch that was asked about", seconds=120)


def memory_limit(namespace: Namespace) -> tuple[str, int]:
    found = namespace.apps.read_namespaced_deployment("checkout", namespace.name)
    limits = found.spec.template.spec.containers[0].resources.limits
    return limits["memory"], found.metadata.generation


def test_a_lowered_limit_is_told_and_its_patch_is_checked_and_changes_nothing(
    start_operator: Callable[..., OperatorProcess],
    namespace: Namespace,
    account: Callable[..., str],
) -> None:
    start_operator(kubeconfig=account("rbac.yaml", "rbac-dry-run.yaml"))
    lower_the_limit(namespace)
    status = told(namespace)
    path = "Deployment/checkout spec.template.spec.containers[api].resources.limits.memory"
    (change,) = (each for each in status["changes"] if each["path"] == path)
    assert (change["before"], change["after"]) == ("256Mi", "16Mi")
    diagnosis = status["diagnosis"]
    assert "from 256Mi to 16Mi" in diagnosis["explanation"]
    first, *others = diagnosis["remediation"]
    assert yaml.safe_load(first["patch"])["spec"]["template"]["spec"]["containers"] == [
        {"name": "api", "resources": {"limits": {"memory": "256Mi"}}}
    ]
    assert (first["dryRun"], first.get("dryRunMessage")) == ("Passed", None)
    assert any("rollout undo" in each.get("command", "") for each in others)
    assert memory_limit(namespace) == ("16Mi", 2)


def test_without_the_right_to_patch_nothing_is_asked_and_the_reason_is_given(
    start_operator: Callable[..., OperatorProcess],
    namespace: Namespace,
    account: Callable[..., str],
) -> None:
    start_operator(kubeconfig=account("rbac.yaml"))
    lower_the_limit(namespace)
    first = told(namespace)["diagnosis"]["remediation"][0]
    assert first["dryRun"] == "NotRun"
    assert first["dryRunMessage"] == (
        f"Kausa may not patch deployments.apps in namespace {namespace.name}, which a dry run "
        "needs (hack/rbac-dry-run.yaml)"
    )


@pytest.mark.parametrize(
    ("body", "outcome", "message"),
    [
        ({"spec": {"replicas": 3}}, DryRun.PASSED, ""),
        ({"spec": {"replicas": -1}}, DryRun.FAILED, "spec.replicas: Invalid value: -1"),
        ({"spec": {"replicsa": 3}}, DryRun.FAILED, 'unknown field "spec.replicsa"'),
        (
            {"spec": {"template": {"spec": {"containers": [{"name": "nobody"}]}}}},
            DryRun.FAILED,
            "image: Required value",
        ),
    ],
    ids=["good", "invalid", "misspelt", "of a container that is not there"],
)
async def test_the_api_server_says_what_it_holds_of_a_patch_and_applies_none(
    namespace: Namespace,
    account: Callable[..., str],
    body: dict[str, Any],
    outcome: DryRun,
    message: str,
) -> None:
    namespace.apply(limited("256Mi"))
    before = namespace.apps.read_namespaced_deployment("checkout", namespace.name)
    patch = Patch(
        api_version="apps/v1",
        kind="Deployment",
        name="checkout",
        namespace=namespace.name,
        body=body,
    )
    diagnosis = Diagnosis(
        category=Category.OTHER,
        summary="",
        root_cause="",
        explanation="",
        confidence=1,
        decided_by=DecidedBy.RULES,
        citations=(),
        fixes=(Fix(title="", rationale="", patch=patch),),
    )
    kubeconfig = Path(account("rbac-dry-run.yaml"))
    async with KubernetesClient(load_kubeconfig(kubeconfig)) as asking:

        async def asked() -> Fix | None:
            (fix,) = (await DryRuns(client=asking, redact=str).check(diagnosis)).fixes
            # RBAC takes a moment to know of a new binding.
            return None if fix.dry_run is DryRun.NOT_RUN else fix

        fix = await _soon(asked)
    assert fix.dry_run is outcome
    assert message in fix.dry_run_message
    after = namespace.apps.read_namespaced_deployment("checkout", namespace.name)
    assert after.metadata.generation == before.metadata.generation
    assert after.spec == before.spec
    assert all(each.manager != "kausa-dry-run" for each in after.metadata.managed_fields)


async def _soon(ask: Callable[[], Awaitable[Fix | None]]) -> Fix:
    for _ in range(50):
        if (found := await ask()) is not None:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError("the API server was never asked")
