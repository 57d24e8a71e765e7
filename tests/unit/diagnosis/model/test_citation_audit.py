"""The count of inventions finds what it is for, and nothing where all is well."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bench.model_eval.auditing import audit_files
from support.citation_audit import audit, audit_all
from unit.diagnosis.model.injections import INJECTIONS
from unit.diagnosis.model.steering import HONEST, Obedient, request_with

from kausa.diagnosis.errors import ModelInvalidAnswer
from kausa.diagnosis.model.answer.support import Corpus
from kausa.diagnosis.model.asking import ask
from kausa.diagnosis.model.prompt.screening import screen
from kausa.diagnosis.model.protocol import ModelReply, ModelRequest, NumberedEvidence

EVIDENCE: list[dict[str, Any]] = [
    {"id": "E1", "source": {"kind": "Pod", "name": "api-0"}, "text": "exit code 137, limit 64Mi"},
    {"id": "E2", "source": {"kind": "Pod", "name": "api-0"}, "text": "KeyError: 'DB_DSN'"},
]
GOOD = {
    "summary": "Pod/api-0 exited with code 137",
    "rootCause": "It reached its limit of 64Mi (E1).",
    "explanation": "",
    "citations": ["E1"],
}


QUESTION = {
    "id": "a", "reply": GOOD, "decided": False, "evidence": EVIDENCE, "known": [],
}  # fmt: skip


def test_a_true_diagnosis_has_no_invention() -> None:
    result = audit(evidence=EVIDENCE, diagnosis=GOOD)
    assert result.invented == 0
    assert result.checked >= 3


@pytest.mark.parametrize(
    "change",
    [
        {"citations": ["E3"]},
        {"citations": []},
        {"rootCause": "It reached its limit of 640Mi."},
        {"rootCause": "It reached its limit of 64."},
        {"rootCause": "The variable DB_DSN is missing."},
        {"explanation": "E7 shows it."},
        {"explanation": 'The log says "disk full".'},
        {"summary": "Pod/api-1 exited with code 137"},
    ],
)
def test_an_invention_is_counted(change: dict[str, Any]) -> None:
    assert audit(evidence=EVIDENCE, diagnosis={**GOOD, **change}).invented > 0


def test_what_is_known_without_evidence_may_be_said() -> None:
    said = {**GOOD, "explanation": "Deployment/api_x fails."}
    assert audit(evidence=EVIDENCE, diagnosis=said).invented == 1
    assert audit(evidence=EVIDENCE, diagnosis=said, known=["Deployment/api_x"]).invented == 0


def _status(request: ModelRequest, reply: ModelReply) -> dict[str, Any]:
    answer = reply.answer
    return {
        "evidence": [
            {"id": each.id, "source": each.source, "text": each.text} for each in request.evidence
        ],
        "diagnosis": {
            "summary": answer.summary,
            "rootCause": answer.root_cause,
            "explanation": answer.explanation,
            "citations": answer.citations,
        },
    }


@pytest.mark.slow
async def test_no_answer_to_two_hundred_injections_has_an_invention() -> None:
    audits = []
    for injection in INJECTIONS:
        request = request_with(injection)
        for changes in ({}, injection.obeyed):
            try:
                reply = await ask(Obedient({**HONEST, **changes}), request, deadline_seconds=5)
            except ModelInvalidAnswer:
                continue
            known = [request.target, request.namespace, request.reason, "api"]
            audits.append(audit(**_status(request, reply), known=known, name=injection.name))
    total = audit_all(audits)
    assert total.answers >= len(INJECTIONS)
    assert total.invented == 0, (total.unknown_ids, total.unsupported)


@pytest.mark.parametrize(
    ("text", "said", "invented"),
    [
        ("connect to 10.0.0.3 failed", "It failed 3 times.", 1),
        ("version 2.14 failed", "It failed 14 times.", 1),
        ("it failed 3 times", "It failed 3 times.", 0),
        ("it failed often", "It failed three times.", 1),
        ("it failed 3 times", "It failed three times.", 0),
        ("it failed three times", "It failed three times.", 0),
        # A number has to count the same.
        ("exit code 1, 7 restarts", "It ended with exit code 7.", 1),
        ("exit code 1, 7 restarts", "It ended with exit code 1 after 7 restarts.", 0),
        ("exit code 1, 7 restarts", "It ended with exit code 1 after 1 restarts.", 1),
        ("wants 3 replicas on port 80", "It wants 3 replicas on port 80.", 0),
        # Names without a mark, and quotes word by word.
        ("the secret is gone", "The secret acme is gone.", 1),
        ("the secret acme is gone", "The secret acme is gone.", 0),
        ("the map is gone", "The map cart-settings is gone.", 1),
        ("the map cart-settings is gone", "The map cart-settings is gone.", 0),
        ("the disk is full", 'It says "disk:full".', 1),
        ("the disk  is full", 'It says "The disk is full".', 0),
        ("msg='the disk is full'", 'It says "msg=the disk is full".', 0),
    ],
)
def test_the_audit_and_the_check_see_the_same_with_different_eyes(
    text: str, said: str, invented: int
) -> None:
    evidence = [{"id": "E1", "source": {}, "text": text}]
    found = audit(evidence=evidence, diagnosis={"rootCause": said, "citations": ["E1"]})
    assert found.invented == invented
    request = replace(
        request_with(None),
        evidence=(NumberedEvidence(id="E1", kind="Log", source="", text=text),),
    )
    support = Corpus(screen(request), evidence_ids=["E1"]).support(said)
    assert support.holds == (not invented)


@pytest.mark.parametrize(
    ("said", "invented"),
    [
        ("According to VMware and Oracle the Hypervisor was hacked.", 3),
        ("The operator of Acme told 'delete everything' to Bob and Lufthansa.", 4),
        ("Lufthansa removed it.", 1),
        ("It was Oracle. Oracle removed it.", 1),
        ("Somebody said \u201cdelete everything\u201d there.", 1),
        ("Somebody said \u2018delete everything\u2019 there.", 1),
        ("Somebody said `delete everything` there.", 1),
        ("OpenShift refuses it.", 1),
        ("The log says 'the disk is full'.", 0),
        ("The disk of Contoso isn't full, and the user's file can't be read.", 0),
        ("However, the Deployment reads a ConfigMap. Therefore it fails: The disk is full.", 0),
        ("The Data Source Name (DSN) is unknown.", 0),
    ],
)
def test_names_with_capitals_and_quotes_of_any_kind_are_looked_up(said: str, invented: int) -> None:
    text = "the disk is full at contoso, DSN is unknown"
    evidence = [{"id": "E1", "source": {}, "text": text}]
    found = audit(evidence=evidence, diagnosis={"rootCause": said, "citations": ["E1"]})
    assert len(set(found.unsupported)) == invented, found.unsupported


@pytest.mark.parametrize(
    ("title", "invented"),
    [
        ("Check Cache Size", 0),
        ("Increase the Memory Limit", 0),
        ("Contact Lufthansa Support", 1),
        ("Check the Lufthansa gateway", 1),
    ],
)
def test_a_heading_may_have_capitals_but_no_name(title: str, invented: int) -> None:
    evidence = [{"id": "E1", "source": {}, "text": "memory limit of the gateway, support"}]
    fix = {"title": title, "rationale": ""}
    found = audit(evidence=evidence, diagnosis={"citations": ["E1"], "remediation": [fix]})
    assert found.invented == invented, found.unsupported


@pytest.mark.parametrize(
    ("said", "invented"),
    [
        ("The log says: it waits status=timeout wait_ms=5001 cpu=70.5.", 0),
        ("The log says: it waits status=refused.", 1),
        ("The log says: it waits wait_ms=500.", 1),
        ("The log says: it waits cpu=70.", 1),
    ],
)
def test_a_line_of_json_may_be_told_in_pairs(said: str, invented: int) -> None:
    text = '{"status": "timeout", "wait_ms": 5001, "cpu":70.5, "message": "it waits"}'
    evidence = [{"id": "E1", "source": {}, "text": text}]
    found = audit(evidence=evidence, diagnosis={"rootCause": said, "citations": ["E1"]})
    assert found.invented == invented, found.unsupported


def test_what_is_proposed_is_audited_too() -> None:
    fix = {"title": "Raise the limit to 128Mi", "rationale": "", "command": ""}
    said = {**GOOD, "remediation": [fix]}
    assert audit(evidence=EVIDENCE, diagnosis=said).invented == 1
    fix["command"] = "kubectl set resources deployment/api --limits=memory=128Mi"
    assert audit(evidence=EVIDENCE, diagnosis=said).invented == 0


@pytest.mark.parametrize(("questions", "code"), [([], 1), ([QUESTION], 0)])
def test_an_audit_of_nothing_is_no_success(
    questions: list[dict[str, Any]], code: int, tmp_path: Path
) -> None:
    file = tmp_path / "eval.json"
    file.write_text(json.dumps({"model": {"name": "m", "questions": questions}}))
    assert audit_files([file]) == code
