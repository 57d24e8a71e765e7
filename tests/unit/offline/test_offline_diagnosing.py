"""Files in, diagnoses out: the whole pipeline, as the operator runs it, without a cluster."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.captures import captured
from support.snapshots import (
    client_of,
    crashing_pod,
    deployment,
    listed,
    loaded,
    replica_set,
    thin_pod,
    warning,
)

from kausa.cluster.snapshot import Snapshot, load_snapshot
from kausa.evidence.redaction import Redactor
from kausa.offline.diagnosing import Answer, OfflineDiagnosis, moment_of
from kausa.offline.targets import find_target, parse_target
from kausa.resources.evidence import EvidenceKind

Json = dict[str, Any]
REDACTOR = Redactor(key=bytes(32))


async def diagnose(
    snapshot: Snapshot, target: str | None = None, *, question: str | None = None
) -> tuple[Answer, ...]:
    pipeline = OfflineDiagnosis(snapshot, redactor=REDACTOR, now=moment_of(snapshot))
    if target is None:
        return await pipeline.of_all(question=question)
    found = find_target(snapshot, parse_target(target))
    return await pipeline.of_target(found, question=question)


def api(tmp_path: Path, log: str) -> Snapshot:
    owner = deployment("api")
    middle = replica_set("api-5d8f9c7b6d", of=owner)
    pod = crashing_pod("api-1", owner=middle)
    logs = {"shop/api-1/api.previous.log": log}
    return loaded(tmp_path, owner, middle, pod, logs=logs)


async def test_a_crash_is_told_by_its_log(tmp_path: Path) -> None:
    (answer,) = await diagnose(api(tmp_path, "FATAL: variable DATABASE_URL is not set\n"))
    assert answer.fails
    assert "DATABASE_URL" in answer.diagnosis.summary + answer.diagnosis.root_cause
    known = {each.id for each in answer.dossier.evidence}
    assert answer.diagnosis.citations
    assert set(answer.diagnosis.citations) <= known


async def test_secrets_do_not_come_out(tmp_path: Path) -> None:
    secret = "hunter2isnotsafe"
    log = f"FATAL: cannot connect to postgres://app:{secret}@db:5432/app\n"
    (answer,) = await diagnose(api(tmp_path, log), question=f"is it password={secret}?")
    assert secret not in repr(answer)
    assert answer.dossier.redactions


async def test_a_question_is_evidence(tmp_path: Path) -> None:
    (answer,) = await diagnose(api(tmp_path, "bye\n"), "deploy/api", question="why since noon?")
    asked = [each for each in answer.dossier.evidence if each.kind is EvidenceKind.QUESTION]
    assert [each.text for each in asked] == ["why since noon?"]


async def test_what_was_not_recorded_is_a_gap_and_never_said_not_to_exist(tmp_path: Path) -> None:
    pod = crashing_pod("api-1")
    pod["spec"]["containers"][0]["envFrom"] = [{"configMapRef": {"name": "settings"}}]
    path = tmp_path / "pods.json"
    path.write_text(json.dumps(listed(pod)))
    (partial,) = await diagnose(load_snapshot(path))
    assert not [each for each in partial.dossier.references if each.kind == "ConfigMap"]
    gaps = " ".join(f"{each.what}: {each.why}" for each in partial.dossier.gaps)
    assert "not in the snapshot" in gaps
    (whole,) = await diagnose(loaded(tmp_path, pod))
    (missing,) = [each for each in whole.dossier.references if each.kind == "ConfigMap"]
    assert missing.name == "settings"


async def test_the_clock_is_that_of_the_files(tmp_path: Path) -> None:
    snapshot = loaded(tmp_path, crashing_pod("a"))
    assert moment_of(snapshot) == datetime(2026, 1, 31, 12, 10, 5, tzinfo=UTC)
    (answer,) = await diagnose(snapshot)
    assert answer.dossier.now == moment_of(snapshot)
    given = datetime(2030, 1, 1, tzinfo=UTC)
    assert moment_of(snapshot, given=given) == given


async def test_the_same_files_give_the_same_answer(tmp_path: Path) -> None:
    snapshot = api(tmp_path, "bye\n")
    one, two = [await diagnose(snapshot) for _ in range(2)]
    assert [(e.dossier, e.diagnosis) for e in one] == [(e.dossier, e.diagnosis) for e in two]


async def test_no_file_is_asked_for_twice_over_a_network_that_is_not_there(tmp_path: Path) -> None:
    client = client_of(tmp_path, crashing_pod("a"))
    assert not hasattr(client, "apply")
    assert not hasattr(client, "dry_run")


async def test_a_warning_about_a_thin_pod_is_explained(tmp_path: Path) -> None:
    pod = thin_pod("web-1", status={"phase": "Pending"})
    said = warning("FailedScheduling", "0/3 nodes are available: 3 Insufficient cpu.", about=pod)
    (answer,) = await diagnose(loaded(tmp_path, pod, said), "pod/web-1")
    assert str(answer.diagnosis.category) == "Scheduling"
    assert "cpu" in answer.diagnosis.summary


@pytest.mark.slow
async def test_the_recorded_streams_of_a_real_node_are_a_snapshot_too(tmp_path: Path) -> None:
    """The last state of every Pod of the recording, with all Events, as `kubectl get` gives it."""
    last: dict[str, Json] = {}
    for name, kind in (("pods", "Pod"), ("events", "Event")):
        for type_, document in captured(name, kind):
            uid = document["metadata"]["uid"]
            last.pop(uid, None)
            if type_ != "DELETED":
                last[uid] = {**document, "apiVersion": "v1", "kind": kind}
    (tmp_path / "all.json").write_text(json.dumps(listed(*last.values())))
    answers = await diagnose(load_snapshot(tmp_path))
    assert len(answers) > 10
    assert all(each.fails and each.diagnosis.summary for each in answers)
    told = {each.subject.symptom.reason for each in answers if each.subject.symptom is not None}
    assert {"CrashLoopBackOff", "ImagePullBackOff", "FailedScheduling"} <= told


async def test_a_packed_log_is_read(tmp_path: Path) -> None:
    snapshot = api(tmp_path, "nothing")
    folder = tmp_path / "case" / "logs" / "shop" / "api-1"
    (folder / "api.previous.log").unlink()
    packed = gzip.compress(b"FATAL: variable REGION is not set\n")
    (folder / "api.previous.log.gz").write_bytes(packed)
    snapshot = load_snapshot(tmp_path / "case")
    (answer,) = await diagnose(snapshot)
    assert "REGION" in answer.diagnosis.summary + answer.diagnosis.root_cause
