"""What is told on a terminal, and what the operator would publish."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from support.snapshots import BEGAN, crashing_pod, deployment, loaded, replica_set, thin_pod

from kausa.diagnosis.finding import Fix
from kausa.evidence.dossier import Change, EvidenceGap
from kausa.evidence.redaction import Redactor
from kausa.offline.diagnosing import Answer, OfflineDiagnosis, moment_of
from kausa.offline.documents import DocumentError, as_yaml, documents
from kausa.offline.order import in_order
from kausa.offline.paper import Paper
from kausa.offline.targets import find_target, parse_target
from kausa.offline.text import NOT_RECORDED, as_text, overview
from kausa.resources.failure_diagnosis import FailureDiagnosis

Json = dict[str, Any]
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "api", "namespace": "shop", "creationTimestamp": BEGAN},
    "spec": {"selector": {"app": "api"}},
}


def answers(tmp_path: Path, *objects: Json, target: str | None = None) -> tuple[Answer, ...]:
    logs = {"shop/api-1/api.previous.log": "FATAL: \x1b[31mbroken\x1b[0m \x07beyond repair\n"}
    snapshot = loaded(tmp_path, *objects, logs=logs)
    pipeline = OfflineDiagnosis(snapshot, redactor=Redactor(key=bytes(32)), now=moment_of(snapshot))
    if target is None:
        return asyncio.run(pipeline.of_all())
    return asyncio.run(pipeline.of_target(find_target(snapshot, parse_target(target))))


def crash(tmp_path: Path) -> tuple[Answer, ...]:
    api = deployment("api")
    middle = replica_set("api-5d8f9c7b6d", of=api)
    return answers(tmp_path, api, middle, crashing_pod("api-1", owner=middle), SERVICE)


def text_of(answer: Answer, *, width: int = 100, verbose: bool = False) -> str:
    return click.unstyle("\n".join(as_text(answer, width=width, verbose=verbose)))


def test_the_cause_comes_first_and_evidence_has_its_ids(tmp_path: Path) -> None:
    first, *_ = crash(tmp_path)
    said = text_of(first)
    assert said.startswith(f"CAUSE\n  {first.diagnosis.summary[:40]}")
    for heading in ("WHY", "WHAT TO DO", "EVIDENCE"):
        assert f"\n\n{heading}\n" in said
    for each in first.diagnosis.citations:
        assert f"\n  {each:<4}" in said
    assert "Deployment shop/api, shown by Pod/api-1" in said
    assert "more with -v" in said
    assert "more with -v" not in text_of(first, verbose=True)


def test_what_was_not_recorded_is_one_line_without_the_object_itself(tmp_path: Path) -> None:
    first, *_ = crash(tmp_path)
    gap = EvidenceGap(what="Deployment/api, Node/n, limits of namespace shop", why=NOT_RECORDED)
    late = EvidenceGap(what="events", why="no answer within 3 s")
    dossier = replace(first.dossier, gaps=(gap, late))
    said = text_of(replace(first, dossier=dossier)).partition("NOT READ\n")[2]
    assert said.splitlines()[:2] == [
        "  - events: no answer within 3 s",
        "  - not in the snapshot: Node/n, limits",
    ]


def test_a_failing_program_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    first, *_ = crash(tmp_path)
    said = text_of(first, verbose=True)
    assert "beyond repair" in said
    assert all(each.isprintable() or each == "\n" for each in said)


@pytest.mark.parametrize("width", [1, 60, 80, 500])
def test_lines_fit_the_terminal_but_for_commands_and_long_words(tmp_path: Path, width: int) -> None:
    first, *_ = crash(tmp_path)
    room = max(40, min(120, width))
    for line in text_of(first, width=width, verbose=True).splitlines():
        assert len(line) <= room or "kubectl" in line or " " not in line.strip()


def test_what_follows_from_something_stands_under_it(tmp_path: Path) -> None:
    found = crash(tmp_path)
    told = in_order(tuple(reversed(found)))
    assert [(each.answer.subject.owner.kind, each.depth) for each in told] == [
        ("Deployment", 0),
        ("Service", 1),
    ]
    lines = overview(told, now=found[0].subject.now, width=100, clip=False)
    text = click.unstyle("\n".join(lines))
    assert text.startswith("2 failures, as of 2026-01-31 12:10:05 UTC:")
    assert "shop       Deployment/api" in text
    assert "shop       `-Service/api" in text


def test_each_failure_is_one_line_on_a_narrow_terminal(tmp_path: Path) -> None:
    found = crash(tmp_path)
    lines = overview(in_order(found), now=found[0].subject.now, width=60, clip=True)
    assert len(lines) == 5
    assert lines[-2].endswith("…")


def test_nothing_that_fails_is_said_in_a_sentence(tmp_path: Path) -> None:
    found = crash(tmp_path)
    (line,) = overview((), now=found[0].subject.now, width=80, clip=False)
    assert "Nothing fails in this snapshot" in line


def test_a_table_holds_no_line_breaks() -> None:
    paper = Paper(width=80)
    paper.table([("A", "B"), ("one\ntwo", "three\nfour")], clip=False)
    assert paper.lines == ["A        B", "one two  three four"]


def test_what_is_published_offline_is_what_the_operator_would_publish(tmp_path: Path) -> None:
    first, second = documents(crash(tmp_path), question=None)
    resource = FailureDiagnosis.parse(first)
    assert resource.metadata.namespace == "shop"
    assert resource.spec.target.label == "Deployment/api"
    status = resource.status
    assert status is not None
    assert status.failure is not None
    assert (status.failure.reason, status.failure.exit_code) == ("CrashLoopBackOff", 3)
    assert [each.name for each in status.failure.pods] == ["api-1"]
    assert status.diagnosis is not None
    assert status.evidence
    told = {each.type: each.status for each in status.conditions or ()}
    assert told["Diagnosed"] == "True"
    assert told["MemoryRecalled"] == told["ModelConsulted"] == "False"
    assert second["status"]["failure"]["causedBy"]["name"] == "api"


def test_something_healthy_has_a_document_too(tmp_path: Path) -> None:
    pod = thin_pod("api-1", status={"phase": "Succeeded"})
    (document,) = documents(answers(tmp_path, pod, target="pod/api-1"), question="is it well?")
    assert "failure" not in document["status"]
    assert document["spec"]["question"] == "is it well?"
    FailureDiagnosis.parse(document)


def test_yaml_holds_the_same_and_breaks_no_command(tmp_path: Path) -> None:
    (first, *_) = documents(crash(tmp_path))
    text = as_yaml(first)
    assert yaml.safe_load(text) == first
    for each in first["status"]["diagnosis"]["remediation"]:
        if each.get("command"):
            assert f"command: {each['command'][:30]}" in text


def test_a_name_that_kubernetes_refuses_is_said_to_be_so(tmp_path: Path) -> None:
    pod = thin_pod("Not A Name", status={"phase": "Failed", "reason": "Evicted"})
    found = answers(tmp_path, pod, target="pod/Not A Name")
    with pytest.raises(DocumentError, match=r"Pod shop/Not A Name: .*Use -o text"):
        documents(found)
    assert "Not A Name" in text_of(found[0])


def test_what_belongs_to_no_namespace_is_named_without_one(tmp_path: Path) -> None:
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "node-1", "creationTimestamp": BEGAN},
        "status": {
            "conditions": [{"type": "Ready", "status": "Unknown", "lastTransitionTime": BEGAN}]
        },
    }
    (answer,) = answers(tmp_path, node)
    assert "\n  Target   Node node-1\n" in text_of(answer)
    (*_, line) = overview(in_order((answer,)), now=answer.subject.now, width=100, clip=False)
    assert line.startswith("-          Node/node-1 ")
    # Its resource needs a namespace all the same.
    assert documents((answer,))[0]["metadata"]["namespace"] == "default"


def test_what_was_said_is_not_said_again(tmp_path: Path) -> None:
    first, *_ = crash(tmp_path)
    fixes = (
        Fix(title="Do this", rationale="Because of that."),
        Fix(title="Do more", rationale="For another reason."),
        Fix(title="Do less", rationale="For another reason."),
    )
    changed = "the image of container api was changed from 1 to 2"
    diagnosis = replace(
        first.diagnosis,
        explanation=f"Because of that. What changed: {changed}.",
        fixes=fixes,
    )
    change = Change(path="Deployment/api spec.image", before="1", after="2", citation=changed)
    dossier = replace(first.dossier, changes=(change,))
    said = text_of(replace(first, diagnosis=diagnosis, dossier=dossier))
    assert said.count("Because of that.") == 1
    assert said.count("For another reason.") == 1
    assert "What changed:" not in said
    assert "WHAT CHANGED\n  - Deployment/api spec.image: 1 -> 2" in said


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (Change(path="Node/n", after="added to the cluster"), False),
        (Change(path="Node/n status.conditions[Ready]", before="False", after="True"), False),
        (Change(path="Node/n status.conditions[Ready]", before="True", after="False"), True),
        (Change(path="Node/n spec.taints[x]", after="x:NoExecute"), True),
        (Change(path="ConfigMap/settings data[a]", before="1", after="2"), True),
    ],
)
def test_a_node_that_only_joined_is_no_change(tmp_path: Path, change: Change, told: bool) -> None:
    first, *_ = crash(tmp_path)
    said = text_of(replace(first, dossier=replace(first.dossier, changes=(change,))))
    assert ("WHAT CHANGED" in said) is told


def test_long_evidence_is_not_cut_within_a_placeholder(tmp_path: Path) -> None:
    first, *_ = crash(tmp_path)
    whole = "[redacted:password:0a1b2c]"
    for length in range(370, 402):
        piece = replace(first.dossier.evidence[0], text=f"{'x' * length}{whole}{'y' * 90}")
        dossier = replace(first.dossier, evidence=(piece,))
        said = text_of(replace(first, dossier=dossier), verbose=True)
        assert said.count("[redacted") == said.count(whole)
