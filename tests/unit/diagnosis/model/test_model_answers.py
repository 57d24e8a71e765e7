"""What of an answer holds, whatever the bytes and whatever it claims."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.diagnosis.model.steering import HONEST, request_with

from kausa.diagnosis.errors import ModelError, ModelInvalidAnswer
from kausa.diagnosis.model.answer import Checked, answer_schema, check_answer
from kausa.diagnosis.model.prompt.screening import screen
from kausa.diagnosis.model.prompt.template import SYSTEM
from kausa.diagnosis.model.protocol import ModelRequest, Ruling
from kausa.resources.category import Category
from kausa.resources.diagnosis import Risk
from kausa.settings import Settings
from kausa.settings.model import SURE_RULES

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
REQUEST = request_with(None)
IDS = [each.id for each in REQUEST.evidence]


def check(request: ModelRequest = REQUEST, **changes: Any) -> Checked:
    return check_answer(
        json.dumps({**HONEST, **changes}),
        screened=screen(request),
        evidence_ids=IDS,
        system=SYSTEM,
    )


def fix(command: str | None, title: str = "Look at checkout") -> dict[str, Any]:
    return {"remediation": [{"title": title, "rationale": "", "command": command}]}


@settings(max_examples=50)
@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "replace")))
def test_arbitrary_bytes_raise_nothing_but_a_model_error(content: bytes) -> None:
    with pytest.raises(ModelError):
        check_answer(content, screened=screen(REQUEST), evidence_ids=IDS)


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from(sorted(HONEST)), JSON, max_size=4))
def test_a_distorted_answer_is_checked_or_refused(changes: dict[str, Any]) -> None:
    try:
        answer = check(**changes).answer
    except ModelError:
        return

    assert set(answer.citations) <= set(IDS)
    assert answer.citations
    assert 0 <= answer.confidence <= 85
    assert len(answer.summary) <= 200
    assert "\n" not in answer.summary
    assert len(answer.explanation) <= 600


def test_an_answer_that_the_evidence_bears_is_kept_whole() -> None:
    checked = check()
    assert checked.dropped == ()
    assert checked.answer.citations == ("E2",)
    assert checked.answer.root_cause == HONEST["rootCause"]
    assert checked.answer.confidence == 80


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        *((-5, 0), (0, 0), (63.4, 63), (100, 85), (950, 85)),
        # A share of one is percent too; one as a whole number is one percent.
        *((0.8, 80), (0.005, 0), (1.0, 85), (1, 1), (0.0, 0), (-0.5, 0), (1.5, 2)),
    ],
)
def test_confidence_becomes_whole_percent_and_is_capped(said: float, kept: int) -> None:
    assert check(confidence=said).answer.confidence == kept


@pytest.mark.parametrize(
    "cause",
    [
        "The program needs the variable ORDERS_DB_DSN, which is not set.",
        "The container exited with code 2.",
        'The log says "disk is full".',
        "Container api runs the image registry.example/checkout:2.4.2.",
        "The database Cassandra is away.",
        "Cosmic rays flipped random transistors.",
        "The workload is healthy.",
        "Le conteneur n'a pas trouv\u00e9 la variable d'environnement.",
        "pwned",
        " ",
    ],
)
def test_a_cause_that_the_evidence_does_not_bear_is_refused(cause: str) -> None:
    with pytest.raises(ModelInvalidAnswer):
        check(rootCause=cause)


@pytest.mark.parametrize(
    ("cause", "kept"),
    [("KeyError: 'PAYMENTS_DB_DSN'", True), ("CrashLoopBackOff.", False), ("It fails.", False)],
)
def test_two_words_are_a_cause_where_they_are_the_programs_own(cause: str, kept: bool) -> None:
    said: dict[str, Any] = {"rootCause": cause, "summary": cause, "explanation": cause}
    if kept:
        assert check(**said).answer.root_cause == cause
    else:
        with pytest.raises(ModelInvalidAnswer):
            check(**said)


def test_where_the_cause_is_a_mere_word_the_next_sentence_that_holds_takes_its_place() -> None:
    summary = "The variable PAYMENTS_DB_DSN is not set."
    checked = check(rootCause="CrashLoopBackOff", summary=summary)
    assert checked.answer.root_cause == summary
    assert checked.answer.confidence <= 65
    assert any("not why" in each for each in checked.dropped)


def test_a_made_up_cause_is_not_replaced_by_a_summary() -> None:
    with pytest.raises(ModelInvalidAnswer) as caught:
        check(rootCause="The server db-7 was deleted.", summary="PAYMENTS_DB_DSN is not set")
    assert "db-7" in caught.value.detail


def test_a_number_in_a_time_bears_no_count() -> None:
    # `restarted 11 times` was borne by 2026-11-21, and cited it.
    evidence = tuple(
        replace(each, text=f"{each.text} at 2026-11-21T15:51:18Z") for each in REQUEST.evidence
    )
    dated = replace(REQUEST, evidence=evidence)
    said = "Container api exited with code 1, 11 times. KeyError: 'PAYMENTS_DB_DSN' says why."
    checked = check(dated, explanation=said)
    assert "11 times" not in checked.answer.explanation
    assert "PAYMENTS_DB_DSN" in checked.answer.explanation


def test_a_sentence_that_falls_takes_only_itself_along_and_makes_the_rest_less_sure() -> None:
    cause = f"{HONEST['rootCause']} The server db-7 was deleted."
    checked = check(rootCause=cause)
    assert checked.answer.root_cause == HONEST["rootCause"]
    assert checked.answer.confidence == 65
    assert "db-7" in checked.dropped[0]


def test_a_summary_that_falls_is_replaced_by_the_cause() -> None:
    assert check(summary="db-7 is away").answer.summary == HONEST["rootCause"]


def test_evidence_that_bears_the_claim_takes_the_place_of_what_was_cited() -> None:
    checked = check(citations=["E5"])
    assert checked.answer.citations == ("E2",)
    assert any("E5" in each for each in checked.dropped)


@pytest.mark.parametrize("citations", [[], ["E9"], ["", "e2"]])
def test_an_answer_that_cites_nothing_which_exists_is_refused(citations: list[str]) -> None:
    with pytest.raises(ModelInvalidAnswer, match="cites no evidence"):
        check(citations=citations)


def test_undetermined_is_an_answer() -> None:
    answer = check(category="Undetermined", rootCause="Which program reads it is missing.").answer
    assert not answer.determined
    assert answer.confidence == 40


@pytest.mark.parametrize(
    "cause",
    [
        "The failure occurred due to a crash loop back-off.",
        "The program ends with an error of its own and is restarted again and again.",
        "Container api failed because it is unable to start and ends with an error.",
        "The checkout Deployment is failing due to the status of its container api.",
    ],
)
def test_a_cause_that_says_only_that_it_fails_is_none(cause: str) -> None:
    request = replace(REQUEST, reason="CrashLoopBackOff")
    with pytest.raises(ModelInvalidAnswer):
        check(request, rootCause=cause, summary=cause, explanation="")
    # What follows may say it.
    assert check(request, rootCause=cause).answer.root_cause == HONEST["summary"]


@pytest.mark.parametrize("citations", [["E2"], ["E9"], []])
@pytest.mark.parametrize("cause", ["Nothing here decides it.", "The server db-7 was deleted.", ""])
def test_that_nothing_decides_needs_no_proof(citations: list[str], cause: str) -> None:
    # It was refused as a claim that no evidence bears, and a second answer was paid for.
    said: dict[str, Any] = {
        "rootCause": cause,
        "summary": "",
        "explanation": "",
        "citations": citations,
    }
    answer = check(category="Undetermined", **said).answer
    assert not answer.determined
    assert answer.citations == ()
    assert answer.root_cause
    assert "db-7" not in answer.root_cause


def test_what_holds_of_an_undetermined_answer_is_kept_and_its_commands_are_not() -> None:
    said = f"{HONEST['rootCause']} The server db-7 was deleted."
    answer = check(category="Undetermined", rootCause=said).answer
    assert answer.root_cause == HONEST["rootCause"]
    assert answer.citations
    assert answer.remediation == ()


def test_a_category_without_a_word_in_the_evidence_falls_and_the_cause_that_is_borne_stays() -> (
    None
):
    # Where no line was chosen, it capped the cause below what decides.
    answer = check(category="Eviction").answer
    assert answer.category is Category.OTHER
    assert answer.root_cause == HONEST["rootCause"]
    assert answer.confidence == 65
    ruling = Ruling(category=Category.PROBE, root_cause="The probe fails.", confidence=55)
    assert check(replace(REQUEST, ruling=ruling), category="Eviction").answer.confidence == 55


def test_a_text_that_is_too_long_is_not_cut_within_a_word() -> None:
    # Half a word is in no evidence: it took the summary along.
    summary = "container api fails because PAYMENTS_DB_DSN is not set, so it " + "restarts " * 30
    kept = check(summary=summary).answer.summary
    assert kept.startswith("container api fails")
    assert kept.endswith(" restarts")
    assert len(kept) <= 200


def test_a_contradiction_loses_against_sure_rules() -> None:
    ruling = Ruling(category=Category.PROBE, root_cause="The probe fails.", confidence=82)
    checked = check(replace(REQUEST, ruling=ruling), confidence=99)
    assert checked.answer.confidence == 81
    assert any("rules are 82 % sure" in each for each in checked.dropped)


@pytest.mark.parametrize("confidence", [52, 75])
def test_of_one_mind_with_rules_their_words_stand(confidence: int) -> None:
    ruling = Ruling(category=Category.CONFIG, root_cause="It is not set.", confidence=confidence)
    assert check(replace(REQUEST, ruling=ruling)).answer.confidence == confidence


def test_unsure_rules_may_be_contradicted() -> None:
    ruling = Ruling(category=Category.PROBE, root_cause="The probe fails.", confidence=55)
    assert check(replace(REQUEST, ruling=ruling)).answer.confidence == 80


@pytest.mark.parametrize(
    ("command", "shown", "risk"),
    [
        (
            "kubectl describe deployment checkout",
            "kubectl describe deployment checkout -n shop",
            Risk.LOW,
        ),
        ("kubectl logs checkout-0 -n shop", "kubectl logs checkout-0 -n shop", Risk.LOW),
        ("kubectl get nodes", "kubectl get nodes", Risk.LOW),
        ("kubectl describe deployment other", None, Risk.LOW),
        ("kubectl get pods -n kube-system", None, Risk.LOW),
        ("kubectl logs checkout-0 -c sidecar", None, Risk.LOW),
        ("kubectl describe pod <pod-name>", None, Risk.LOW),
        ("kubectl get pods --watch-only", None, Risk.LOW),
    ],
)
def test_a_command_is_shown_only_about_what_exists(
    command: str, shown: str | None, risk: Risk
) -> None:
    (shown_fix,) = check(**fix(command)).answer.remediation
    assert shown_fix.command == shown
    assert shown_fix.risk is risk


def test_what_a_command_comes_to_can_be_tried_by_the_api_server() -> None:
    command = "kubectl set resources deployment/checkout --limits=memory=128Mi"
    borne = replace(REQUEST, repairs=(f"{command} -n shop",))
    (shown,) = check(borne, **fix(command, title="Raise the memory to 128Mi")).answer.remediation
    assert shown.risk is Risk.MEDIUM
    assert shown.patch is not None
    assert (shown.patch.kind, shown.patch.name, shown.patch.namespace) == (
        "Deployment",
        "checkout",
        "shop",
    )
    template = shown.patch.body["spec"]["template"]["spec"]
    assert template["containers"] == [{"name": "api", "resources": {"limits": {"memory": "128Mi"}}}]


def test_a_command_that_somebody_else_wrote_is_not_repeated() -> None:
    command = "kubectl get pods -n shop"
    runbook = replace(REQUEST.runbooks[0], text=f"Look with {command} at it.")
    (shown,) = check(replace(REQUEST, runbooks=(runbook,)), **fix(command)).answer.remediation
    assert shown.command is None


def test_a_fix_without_a_title_or_with_made_up_names_is_dropped() -> None:
    assert check(**fix(None, title=" ")).answer.remediation == ()
    assert check(**fix(None, title="Restart the host db-7")).answer.remediation == ()


def test_every_object_of_the_schema_is_closed_and_every_string_bounded() -> None:
    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if node.get("type") == "object":
                assert node["additionalProperties"] is False
                assert node["required"] == list(node["properties"])
            if node.get("type") == "string":
                assert "maxLength" in node or "enum" in node
            if node.get("type") == "array":
                assert "maxItems" in node
            for child in node.values():
                walk(child)
        elif isinstance(node, list):
            for child in node:
                walk(child)

    walk(answer_schema(["E1"]))


@pytest.mark.parametrize(
    "explanation",
    [
        "E1 | Status <<0a1b2c3d>> container api: waiting <<0a1b2c3d>>",
        "Copy names, numbers and error messages from it exactly; invent none.",
    ],
)
def test_a_model_that_copies_its_prompt_has_not_answered(explanation: str) -> None:
    with pytest.raises(ModelInvalidAnswer, match="copied its prompt"):
        check(explanation=explanation)


def test_a_model_is_asked_only_where_it_may_decide() -> None:
    assert Settings().model_below_confidence == SURE_RULES
    ruling = Ruling(
        category=Category.PROBE, root_cause="The probe fails.", confidence=SURE_RULES - 1
    )
    assert check(replace(REQUEST, ruling=ruling)).answer.confidence > SURE_RULES
    sure = replace(ruling, confidence=SURE_RULES)
    assert check(replace(REQUEST, ruling=sure)).answer.confidence < SURE_RULES


def test_a_brief_answer_is_the_cause_alone() -> None:
    schema = answer_schema(["E1"], ["a line"], brief=True)
    assert not {"summary", "explanation", "remediation"} & set(schema["properties"])
    said = {"citations": ["E2"], "category": "Config", "confidence": 70,
            "rootCause": "The variable PAYMENTS_DB_DSN is not set."}  # fmt: skip
    answer = check_answer(json.dumps(said), screened=screen(REQUEST), evidence_ids=IDS).answer
    assert answer.summary == answer.root_cause == "The variable PAYMENTS_DB_DSN is not set."
    assert (answer.explanation, answer.remediation) == ("", ())


@pytest.mark.parametrize(
    "harm",
    [
        "Delete the deployment checkout.",
        "Scale checkout to zero.",
        "Use kubectl -n shop delete deployment checkout.",
    ],
)
def test_an_explanation_does_not_ask_for_what_no_fix_may(harm: str) -> None:
    checked = check(explanation=f"PAYMENTS_DB_DSN is not set. {harm}")
    assert harm not in checked.answer.explanation
    assert "PAYMENTS_DB_DSN" in checked.answer.explanation
