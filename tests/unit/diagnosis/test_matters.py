"""What a question is about: a failure that is over is told as over, and what is sure stays sure."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.diagnosed import DIAGNOSIS, NOON, diagnosed
from support.dossiers import dossier
from support.pods import container, pod, terminated, waiting

from kausa.diagnosis.matters import Matter, matter_of_dossier, matter_of_resource, one_request
from kausa.diagnosis.model.answer import check_answer
from kausa.diagnosis.model.answer.support import Corpus
from kausa.diagnosis.model.choosing import of_request
from kausa.diagnosis.model.doubting import WENT_ON_SINCE
from kausa.diagnosis.model.prompt.screening import screen
from kausa.diagnosis.model.protocol import ModelRequest
from kausa.diagnosis.rules.engine import decide_by_rules
from kausa.resources.condition import MODEL_CONSULTED, ConditionStatus, set_condition
from kausa.resources.diagnosis import DecidedBy, DryRun, Remediation, Risk
from kausa.resources.evidence import Change

OVER = "There is no failure now, it was OutOfMemoryError."


def matter(**given: Any) -> Matter:
    found = matter_of_resource(diagnosed(**given))
    assert found is not None
    return found


def request_of(*matters: Matter) -> ModelRequest:
    return one_request(matters, (), question="is checkout broken?")


def bears(request: ModelRequest, sentence: str) -> bool:
    corpus = Corpus(screen(request), evidence_ids=[each.id for each in request.evidence])
    return corpus.support(sentence).holds


def test_that_a_failure_is_over_may_be_said_where_it_is() -> None:
    over = matter(resolved=True)
    assert over.request.reason == (
        "no failure now (it was OOMKilled, resolved 2026-03-01 13:00 UTC)"
    )
    assert bears(request_of(over), OVER)
    assert bears(request_of(over, matter(owner="cart", resolved=True)), OVER)
    assert not bears(request_of(matter()), OVER)


def test_what_fails_again_is_not_over() -> None:
    again = matter(resolved=True, relapsed=True)
    assert again.fails
    assert again.request.reason == "OOMKilled"


@pytest.mark.parametrize(("by_rules", "most"), [(97, 85), (70, 69), (60, 59), (50, 85)])
def test_what_a_resource_says_surely_is_not_overruled(by_rules: int, most: int) -> None:
    said = DIAGNOSIS.model_copy(update={"confidence": by_rules})
    request = request_of(matter(diagnosis=said))
    answer = {
        "category": "OOMKilled",
        "summary": "OutOfMemoryError: Java heap space",
        "rootCause": "The program raised OutOfMemoryError: Java heap space.",
        "explanation": "",
        "confidence": 99,
        "citations": ["E2"],
        "remediation": [],
    }
    checked = check_answer(
        json.dumps(answer),
        screened=screen(request),
        evidence_ids=[each.id for each in request.evidence],
    )
    assert checked.answer.confidence == most


def test_what_bears_a_command_comes_from_specifications_and_rules() -> None:
    path = "Deployment/checkout spec.template.spec.containers[api].image"
    changes = (
        Change(path=path, before="r.example/a:1", after="r.example/a:2"),
        Change(path="ConfigMap/a data[image]", before="evil.example/b:1", after=""),
    )
    fix = Remediation(
        title="Raise it",
        command="kubectl scale deployment/checkout --replicas=2",
        risk=Risk.LOW,
        dry_run=DryRun.NOT_RUN,
    )
    for by, repairs in ((DecidedBy.RULES, (fix.command,)), (DecidedBy.MODEL, ())):
        said = DIAGNOSIS.model_copy(update={"decided_by": by, "remediation": (fix,)})
        resource = diagnosed(diagnosis=said)
        assert resource.status is not None
        status = resource.status.model_copy(update={"changes": changes})
        found = matter_of_resource(resource.model_copy(update={"status": status}))
        assert found is not None
        request = request_of(found)
        assert request.images == ("r.example/a:1",)
        assert request.rolled_out
        assert request.repairs == repairs


SEATS = "Seat server answers: 25 of 25 handed out\nstanding down\nbye then\n"


def of_log(log: str) -> Matter:
    failing = pod(container(waiting("CrashLoopBackOff"), last=terminated(1), restarts=2))
    found = dossier(failing, log=log)
    return matter_of_dossier(found, decide_by_rules(found))


def test_rules_that_only_repeat_words_are_no_finding_and_what_they_know_is() -> None:
    repeating, knowing = of_log(SEATS), of_log("FATAL: variable REGION is not set\n")
    assert request_of(repeating).findings == ()
    assert request_of(repeating).ruling is None
    assert "no rule names a cause" in of_request(request_of(repeating)).reasons
    (finding,) = request_of(knowing).findings
    assert "REGION" in finding
    first, second = request_of(repeating, knowing).findings
    assert first == f"{repeating.label}: CrashLoopBackOff"
    assert "REGION" in second


@pytest.mark.parametrize(
    ("consulted", "cause", "told"),
    [
        (None, "", True),
        ("NotNeeded", "", True),
        ("Disabled", "", True),
        ("InvalidAnswer", "", False),
        (None, f"It says so. {WENT_ON_SINCE}", False),
    ],
)
def test_what_the_operator_doubted_is_no_finding(
    consulted: str | None, cause: str, *, told: bool
) -> None:
    said = DIAGNOSIS.model_copy(update={"root_cause": cause, "confidence": 75})
    resource = diagnosed(diagnosis=said)
    assert resource.status is not None
    if consulted is not None:
        conditions = set_condition(
            resource.status.conditions or (),
            type=MODEL_CONSULTED,
            status=ConditionStatus.FALSE,
            reason=consulted,
            message="why",
            now=NOON,
        )
        status = resource.status.model_copy(update={"conditions": conditions})
        resource = resource.model_copy(update={"status": status})
    found = matter_of_resource(resource)
    assert found is not None
    assert bool(request_of(found).findings) is told
    assert found.sure is told


def test_what_rules_said_at_a_glance_is_a_finding_before_it_is_decided_who_is_asked() -> None:
    resource = diagnosed(diagnosis=DIAGNOSIS.model_copy(update={"confidence": 90}))
    assert resource.status is not None
    conditions = set_condition(
        resource.status.conditions or (),
        type=MODEL_CONSULTED,
        status=ConditionStatus.UNKNOWN,
        reason="Gathering",
        message="",
        now=NOON,
    )
    status = resource.status.model_copy(update={"conditions": conditions})
    found = matter_of_resource(resource.model_copy(update={"status": status}))
    assert found is not None
    assert found.sure
    assert not found.repeats
    assert request_of(found).findings


def test_where_rules_found_nothing_that_is_no_finding() -> None:
    unsure = matter(diagnosis=DIAGNOSIS.model_copy(update={"confidence": 0}))
    assert request_of(unsure).findings == ()
