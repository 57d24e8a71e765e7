"""What Kubernetes states itself is said with its names and numbers, and rests on evidence."""

from __future__ import annotations

import string
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.objects import NOW, claim, deployment, job, node, note, said, stateful_set
from support.pods import container, pod, terminated
from support.stated import decided, gathered, symptom

from kausa.cluster.workloads import Workload
from kausa.detection.surroundings import Surroundings
from kausa.detection.symptom import Upstream
from kausa.detection.workloads.detect import detect_workload
from kausa.diagnosis.finding import Diagnosis
from kausa.diagnosis.rules.stated import STATEMENTS, kubernetes_states_it
from kausa.diagnosis.rules.statement import Statement, tell
from kausa.resources.category import Category


def of_workload(found: Workload, *, kind: str, around: Surroundings | None = None) -> Diagnosis:
    """From the object to the answer, through detection."""
    (shown,) = detect_workload(found, around=around or Surroundings(), now=NOW).symptoms
    return decided(gathered(shown, kind=kind, name=found.metadata.name))


# -- from the object to the answer ---------------------------------------------------------------


def test_an_exhausted_quota_is_told_with_its_numbers() -> None:
    message = (
        'pods "checkout-7885cc5bf8-p95nb" is forbidden: exceeded quota: tight, requested: pods=1, '
        "used: pods=1, limited: pods=1"
    )
    diagnosis = of_workload(
        deployment(said("ReplicaFailure", "True", "FailedCreate", message)), kind="Deployment"
    )
    assert diagnosis.category is Category.QUOTA
    assert diagnosis.summary == (
        "quota tight is exhausted: requested pods=1, used pods=1, limited pods=1"
    )
    assert diagnosis.fixes[0].command == "kubectl -n shop describe resourcequota tight"
    assert diagnosis.confidence >= 90


def test_a_missing_service_account_is_named() -> None:
    message = (
        'pods "checkout-7cccfbbc4d-" is forbidden: error looking up service account shop/builder: '
        'serviceaccount "builder" not found'
    )
    diagnosis = of_workload(
        deployment(said("ReplicaFailure", "True", "FailedCreate", message)), kind="Deployment"
    )
    assert diagnosis.summary == (
        "ServiceAccount builder does not exist in namespace shop, and Deployment checkout needs it"
    )


def test_a_job_is_told_with_its_limit_and_how_its_pod_ended() -> None:
    failed = said("Failed", "True", "BackoffLimitExceeded", "Job has reached the backoff limit")
    (shown,) = detect_workload(job(failed, failed=3, limit=2), now=NOW).symptoms
    ended = pod(container(terminated(7), name="load"), phase="Failed", name="import-x")
    diagnosis = decided(
        gathered(shown, kind="Job", name="import", about=ended, log="fatal: table is locked\n")
    )
    assert diagnosis.summary == (
        "Job import has reached its backoff limit of 2 with 3 failed Pods: container load ends "
        "with exit code 7: table is locked"
    )
    assert diagnosis.confidence >= 85


def test_a_job_of_whose_pods_nothing_is_left_is_only_described() -> None:
    failed = said("Failed", "True", "BackoffLimitExceeded", "Job has reached the backoff limit")
    diagnosis = of_workload(job(failed, failed=1, limit=None), kind="Job")
    assert diagnosis.summary == "Job import has reached its backoff limit with 1 failed Pod"
    assert diagnosis.confidence == 60


def test_a_deadline_of_a_job_is_told_in_seconds() -> None:
    late = said(
        "Failed", "True", "DeadlineExceeded", "Job was active longer than specified deadline"
    )
    diagnosis = of_workload(job(late, failed=1, deadline=8), kind="Job")
    assert "deadline of 8 s" in diagnosis.summary


def test_a_missing_storage_class_is_named() -> None:
    missing = note("ProvisioningFailed", 'storageclass.storage.k8s.io "fast" not found')
    diagnosis = of_workload(
        claim(), kind="PersistentVolumeClaim", around=Surroundings(notes=(missing,))
    )
    assert "storage class fast does not exist" in diagnosis.summary


def test_a_silent_node_is_named() -> None:
    lost = said("Ready", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")
    diagnosis = of_workload(node(lost), kind="Node")
    assert diagnosis.summary.startswith("node node-1 is not ready: its kubelet has stopped")
    assert diagnosis.fixes[0].command == "kubectl describe node node-1"


def test_a_rollout_that_stopped_without_a_word_is_only_described() -> None:
    late = said("Progressing", "False", "ProgressDeadlineExceeded", "timed out progressing")
    diagnosis = of_workload(deployment(late, available=1), kind="Deployment")
    assert "1 of 3 replicas are available" in diagnosis.summary
    assert "progressDeadlineSeconds 600" in diagnosis.root_cause
    assert 50 <= diagnosis.confidence < 75


def test_a_stuck_stateful_set_is_only_described() -> None:
    diagnosis = of_workload(stateful_set(ready=1), kind="StatefulSet")
    assert diagnosis.summary.startswith("StatefulSet db is stuck: 1 of 3 replicas are ready")
    assert diagnosis.confidence == 60


def test_a_service_names_what_it_follows_from() -> None:
    shown = symptom(
        Category.SERVICE,
        "NoReadyEndpoints",
        "no endpoints available for service checkout: none of the 3 Pods behind it is ready, and "
        "2 of them fail",
        caused_by=Upstream(
            api_version="apps/v1", kind="Deployment", name="api", reason="CrashLoopBackOff"
        ),
    )
    diagnosis = decided(gathered(shown, kind="Service"))
    assert "2 of the 3 Pods behind it fail: Deployment api fails (CrashLoopBackOff)" in (
        diagnosis.summary
    )


# -- what is not known ---------------------------------------------------------------------------


def test_a_message_that_nobody_knows_is_repeated_and_not_explained() -> None:
    diagnosis = decided(gathered(symptom(Category.OTHER, "SyncFailed", "no wind"), kind="Gateway"))
    assert diagnosis.summary == "Gateway checkout: SyncFailed: no wind"
    assert diagnosis.confidence == 60
    assert diagnosis.fixes == ()


def test_a_reason_without_a_message_decides_nothing() -> None:
    diagnosis = decided(gathered(symptom(Category.OTHER, "SyncFailed", ""), kind="Gateway"))
    assert not diagnosis.determined


def test_a_healthy_object_has_no_cause() -> None:
    runs = pod(container({"running": {}}, ready=True))
    found = replace(gathered(symptom(Category.OTHER, "x", "x"), about=runs), symptom=None)
    assert kubernetes_states_it(found) is None


def test_a_name_that_is_none_does_not_get_into_a_command() -> None:
    shown = symptom(
        Category.PERMISSION,
        "FailedCreate",
        'User "a" cannot create resource "pods" in API group ""',
    )
    evil = gathered(shown, kind="Gateway; rm -rf /", name="$(reboot)")
    for fix in decided(evil).fixes:
        assert not set(fix.command or "") & set(";$()`|&<>\\\"'")


# -- the tables ----------------------------------------------------------------------------------

WORDS = frozenset(
    {
        "subject", "kind", "name", "namespace", "node", "Node", "node_name", "container", "reason",
        "gates", "scheduler", "upstream", "ended", "said", "Pods_failed", "have_failed",
        "one_by_one",
    }
)  # fmt: skip


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda each: each.rule)
def test_every_text_names_only_what_is_known(statement: Statement) -> None:
    known = WORDS | set(statement.pattern.groupindex)
    for text in (
        statement.summary,
        statement.root_cause,
        statement.explanation,
        statement.advice,
        statement.command or "",
    ):
        plain = text.replace("<<", "").replace(">>", "")
        named = {name for _, name, _, _ in string.Formatter().parse(plain) if name}
        assert named <= known
    assert 50 <= statement.confidence <= 97


def test_no_two_statements_share_a_rule() -> None:
    rules = [each.rule for each in STATEMENTS]
    assert len(rules) == len(set(rules))


def test_a_text_leaves_out_what_is_not_known() -> None:
    told = {"limit": "", "failed": "3"}
    assert tell("limit<< of {limit}>> with {failed}<< Pods, {failed}>>", told) == (
        "limit with 3 Pods, 3"
    )


@given(
    category=st.sampled_from(Category),
    reason=st.sampled_from(["FailedCreate", "Unhealthy", "FailedMount", "DeadlineExceeded", "X"]),
    message=st.text(max_size=200)
    | st.builds(
        "{}{}".format,
        st.sampled_from(
            [
                "Readiness probe failed: ",
                "exceeded quota: tight, requested: pods=1, used: pods=1, limited: ",
                'failed to provision volume with StorageClass "a": ',
                "low on resource: ",
            ]
        ),
        st.text(max_size=60),
    ),
)
def test_no_message_raises_or_breaks_the_bounds(
    category: Category, reason: str, message: str
) -> None:
    decided(gathered(symptom(category, reason, message), kind="Gateway"))
