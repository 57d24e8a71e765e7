"""Reading and writing resources: Kubernetes' spelling, strict out, tolerant in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError
from support.largest import largest

from kausa.resources.category import Category
from kausa.resources.crd import failure_diagnosis_crd
from kausa.resources.diagnosis import DecidedBy, Diagnosis
from kausa.resources.failure import Failure
from kausa.resources.failure_diagnosis import FailureDiagnosis, status_document
from kausa.resources.fields import format_time
from kausa.resources.metadata import ObjectMeta
from kausa.resources.runbook import Runbook, RunbookMatch, RunbookSpec
from kausa.resources.spec import FailureDiagnosisSpec, Feedback, Target, Trigger
from kausa.resources.status import FailureDiagnosisStatus

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TARGET = Target(api_version="apps/v1", kind="Deployment", name="checkout", container="api")


def failure(**fields: Any) -> Failure:
    return Failure(
        **{
            "category": Category.OOM_KILLED,
            "reason": "OOMKilled",
            "fingerprint": "4f1c2a0011223344",
            "first_seen": NOON,
            "last_seen": NOON,
            "occurrences": 1,
            **fields,
        }
    )


def test_a_small_resource_is_written_in_kubernetes_spelling() -> None:
    resource = FailureDiagnosis(
        metadata=ObjectMeta(name="checkout-oomkilled-4f1c2a", namespace="shop"),
        spec=FailureDiagnosisSpec(target=TARGET, trigger=Trigger.AUTOMATIC),
    )
    assert resource.to_dict() == {
        "apiVersion": "kausa.dev/v1alpha1",
        "kind": "FailureDiagnosis",
        "metadata": {"name": "checkout-oomkilled-4f1c2a", "namespace": "shop"},
        "spec": {
            "target": {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "name": "checkout",
                "container": "api",
            },
            "trigger": "Automatic",
            "suspend": False,
        },
    }


def test_a_manager_applies_its_own_fields_and_no_more() -> None:
    status = FailureDiagnosisStatus(target=TARGET.label, failure=failure())
    body = status_document(name="checkout-oomkilled-4f1c2a", namespace="shop", status=status)
    assert body["status"].keys() == {"target", "failure"}
    assert body["status"]["target"] == "Deployment/checkout"
    assert body["metadata"] == {"name": "checkout-oomkilled-4f1c2a", "namespace": "shop"}


def test_the_largest_document_survives_a_round_trip() -> None:
    fields = failure_diagnosis_crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"][
        "properties"
    ]
    document = {
        "apiVersion": "kausa.dev/v1alpha1",
        "kind": "FailureDiagnosis",
        "metadata": {"name": "a"},
        "spec": largest(fields["spec"], filler="x"),
        "status": largest(fields["status"], filler="x"),
    }
    assert FailureDiagnosis.parse(document).to_dict() == document


def test_reading_skips_what_a_newer_version_added() -> None:
    document = {
        "apiVersion": "kausa.dev/v1alpha1",
        "kind": "FailureDiagnosis",
        "metadata": {"name": "a", "managedFields": [{"manager": "kubectl"}], "selfLink": ""},
        "spec": {"target": TARGET.to_dict() | {"shard": 3}, "priority": "High"},
        "status": {"failure": failure().to_dict() | {"zone": "a"}, "score": 3},
    }
    resource = FailureDiagnosis.parse(document)
    assert resource.spec.target == TARGET
    assert resource.status is not None
    assert resource.status.failure == failure()


def test_writing_refuses_what_the_api_does_not_know() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        Target.model_validate(TARGET.to_dict() | {"shard": 3})


def test_reading_knows_kubernetes_spelling_only() -> None:
    with pytest.raises(ValidationError, match="apiVersion"):
        Target.parse({"api_version": "apps/v1", "kind": "Deployment", "name": "checkout"})


def test_a_resource_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        TARGET.name = "other"  # type: ignore[misc]


def test_times_are_utc_and_read_back() -> None:
    berlin = timezone(timedelta(hours=1))
    written = failure(first_seen=datetime(2026, 3, 1, 13, tzinfo=berlin)).to_dict()
    assert written["firstSeen"] == "2026-03-01T12:00:00Z"
    assert Failure.parse(written).first_seen == NOON
    assert format_time(NOON.replace(microsecond=120)) == "2026-03-01T12:00:00.000120Z"


def test_a_confidence_is_a_whole_percent() -> None:
    for confidence in (-1, 101, 97.5, "97"):
        with pytest.raises(ValidationError, match="confidence"):
            Diagnosis(summary="", confidence=confidence, decided_by=DecidedBy.RULES)


def test_a_summary_is_one_line() -> None:
    diagnosis = Diagnosis(
        summary="container api\n  reached its\tlimit", confidence=97, decided_by=DecidedBy.RULES
    )
    assert diagnosis.summary == "container api reached its limit"


def test_a_citation_is_an_evidence_id() -> None:
    with pytest.raises(ValidationError, match="citations"):
        Diagnosis(summary="", confidence=1, decided_by=DecidedBy.MODEL, citations=("evidence 1",))


def test_a_windows_exit_code_is_negative_and_fits() -> None:
    assert failure(exit_code=-1073741819).to_dict()["exitCode"] == -1073741819


def test_a_long_question_is_cut_rather_than_refused() -> None:
    spec = FailureDiagnosisSpec(target=TARGET, question="why? " * 1000)
    assert spec.question is not None
    assert len(spec.question) == 2048
    assert spec.question.endswith("\u2026")


def test_feedback_is_read() -> None:
    given = {"verdict": "Wrong", "resolution": "the limit was raised", "author": "sam"}
    assert Feedback.parse(given).to_dict() == given


def test_a_runbook_is_read_and_written() -> None:
    spec = RunbookSpec(
        title="Out of memory",
        content="# Raise the limit\n",
        match=RunbookMatch(reasons=("OOMKilled",), categories=(Category.OOM_KILLED,)),
    )
    runbook = Runbook(metadata=ObjectMeta(name="oom", namespace="kausa-system"), spec=spec)
    assert Runbook.parse(runbook.to_dict()) == runbook
    assert runbook.to_dict()["spec"]["match"]["categories"] == ["OOMKilled"]


@pytest.mark.parametrize("text", ["168h", "1h30m", "45s", "0s"])
def test_a_duration_is_taken(text: str) -> None:
    spec = FailureDiagnosisSpec(target=TARGET, ttl_after_resolved=text)
    assert spec.to_dict()["ttlAfterResolved"] == text


@pytest.mark.parametrize("text", ["", "7d", "1.5h", "30m1h", "h", "-1h", "1h ", "1h\n"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        FailureDiagnosisSpec(target=TARGET, ttl_after_resolved=text)
