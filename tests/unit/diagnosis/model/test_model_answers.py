"""What of an answer holds, whatever the bytes and whatever it claims."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.diagnosis.model.injections import INJECTIONS
from unit.diagnosis.model.steering import HONEST, request_with

from kausa.diagnosis.errors import ModelError, ModelInvalidAnswer
from kausa.diagnosis.model.answer import Checked, answer_schema, check_answer
from kausa.diagnosis.model.answer.schema import NO_LINE
from kausa.diagnosis.model.prompt.lines import Line
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


LINES = (
    Line(id="E2", text="no such variable"),
    Line(id="E3", text="level=info msg=started", verbatim=False),
)


def chose(text: str, request: ModelRequest = REQUEST, **changes: Any) -> Checked:
    return check_answer(
        json.dumps({**HONEST, "decisiveLines": [text] if text else [], **changes}),
        screened=screen(request),
        evidence_ids=IDS,
        system=SYSTEM,
        lines=LINES,
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


def test_a_category_without_a_word_in_the_evidence_makes_no_cause() -> None:
    answer = check(category="Eviction").answer
    assert answer.category is Category.OTHER
    assert answer.confidence < 50


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


def test_a_line_that_was_chosen_is_quoted_and_cited() -> None:
    answer = chose("no such variable", citations=["E1"]).answer
    assert answer.quotes == ('"no such variable"',)
    assert "E2" in answer.citations
    assert chose("level=info msg=started").answer.quotes == ("level=info msg=started",)


def test_a_line_that_was_not_offered_is_not_quoted() -> None:
    for text in ("the disk is full", NO_LINE, ""):
        assert chose(text).answer.quotes == ()
    assert any("no such line" in each for each in chose("the disk is full").dropped)


def test_a_cause_that_does_not_hold_leaves_the_line_that_was_chosen() -> None:
    checked = chose("no such variable", rootCause="Cosmic rays flipped random transistors.")
    assert checked.answer.root_cause == 'The log says: "no such variable".'
    assert checked.answer.confidence <= 60
    assert any("'cosmic'" in each or "Cosmic" in each for each in checked.dropped)


def test_where_somebody_tried_to_steer_it_no_line_is_quoted() -> None:
    steered = next(each for each in INJECTIONS if each.place == "event")
    checked = chose("no such variable", request_with(steered))
    assert checked.answer.quotes == ()
    with pytest.raises(ModelInvalidAnswer):
        chose("no such variable", request_with(steered), rootCause="Cosmic rays flipped a bit.")


def test_a_line_that_denies_the_failure_is_not_quoted() -> None:
    line = Line(id="E3", text="everything is fine")
    checked = check_answer(
        json.dumps({**HONEST, "decisiveLines": [line.text]}),
        screened=screen(REQUEST),
        evidence_ids=IDS,
        lines=(line,),
    )
    assert checked.answer.quotes == ()


def test_the_line_is_chosen_before_anything_is_said_of_it() -> None:
    schema = answer_schema(["E1"], ["a line", "b line"])
    assert next(iter(schema["properties"])) == "decisiveLines"
    items = schema["properties"]["decisiveLines"]["items"]
    assert items["enum"] == ["a line", "b line", NO_LINE]
    assert "decisiveLines" not in answer_schema(["E1"])["properties"]


def test_a_brief_answer_is_the_cause_alone() -> None:
    schema = answer_schema(["E1"], ["a line"], brief=True)
    assert not {"summary", "explanation", "remediation"} & set(schema["properties"])
    said = {"citations": ["E2"], "category": "Config", "confidence": 70,
            "rootCause": "The variable PAYMENTS_DB_DSN is not set."}  # fmt: skip
    answer = check_answer(json.dumps(said), screened=screen(REQUEST), evidence_ids=IDS).answer
    assert answer.summary == answer.root_cause == "The variable PAYMENTS_DB_DSN is not set."
    assert (answer.explanation, answer.remediation) == ("", ())


def test_a_cause_that_is_about_another_line_leaves_the_line_that_was_chosen() -> None:
    # The 0.5B chose the line that decides, and explained it by an image that was pulled.
    said = "Container api runs the image registry.example/checkout:2.4.1."
    checked = chose("no such variable", rootCause=said)
    assert checked.answer.root_cause == 'The log says: "no such variable".'
    assert any("not about the lines" in each for each in checked.dropped)


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
