"""What of an answer holds, whatever the bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fake_ollama import GOOD

from kausa.diagnosis.errors import ModelError
from kausa.diagnosis.model.answer import answer_schema, check_answer
from kausa.diagnosis.model.commands import refusal

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "replace")))
def test_arbitrary_bytes_raise_nothing_but_a_model_error(content: bytes) -> None:
    with pytest.raises(ModelError):
        check_answer(content, evidence_ids=["E1"])


@settings(max_examples=120, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(GOOD)), JSON, max_size=4))
def test_a_distorted_answer_is_checked_or_refused(changes: dict[str, Any]) -> None:
    try:
        answer, _ = check_answer(json.dumps({**GOOD, **changes}), evidence_ids=["E1", "E2"])
    except ModelError:
        return

    assert set(answer.citations) <= {"E1", "E2"}
    assert answer.citations
    assert 0 <= answer.confidence <= 100
    assert len(answer.summary) <= 200
    assert "\n" not in answer.summary
    assert len(answer.explanation) <= 600


@pytest.mark.parametrize(("said", "kept"), [(-5, 0), (0, 0), (63.4, 63), (100, 100), (950, 100)])
def test_confidence_is_clamped(said: float, kept: int) -> None:
    answer, _ = check_answer(json.dumps({**GOOD, "confidence": said}), evidence_ids=["E1"])

    assert answer.confidence == kept


def test_a_fix_without_a_title_is_dropped() -> None:
    answer, dropped = check_answer(
        json.dumps({**GOOD, "remediation": [{"title": " ", "rationale": "x", "command": None}]}),
        evidence_ids=["E1"],
    )

    assert answer.remediation == ()
    assert dropped == ("a fix without a title",)


def test_every_object_of_the_schema_is_closed_and_every_string_bounded() -> None:
    def check(node: Any) -> None:
        if isinstance(node, dict):
            if node.get("type") == "object":
                assert node["additionalProperties"] is False
                assert node["required"] == list(node["properties"])
            if node.get("type") == "string":
                assert "maxLength" in node or "enum" in node
            if node.get("type") == "array":
                assert "maxItems" in node
            for child in node.values():
                check(child)
        elif isinstance(node, list):
            for child in node:
                check(child)

    check(answer_schema(["E1"]))


@pytest.mark.parametrize(
    "command",
    [
        "kubectl get pods -n shop -o wide",
        "kubectl -n shop describe pod api-0",
        "kubectl logs deployment/api --previous",
        "kubectl set image deployment/api api=r.example/api:2.4.2",
        "kubectl rollout undo deployment/api --to-revision=3",
        "kubectl scale deployment/api --replicas=2",
        "kubectl edit configmap app-config",
        "kubectl create configmap app --from-literal=MODE=prod",
        "kubectl create secret generic db --from-literal=user=app",
        """kubectl patch deployment api -p '{"spec":{"replicas":2}}'""",
        "kubectl get pods -o jsonpath='{.items[*].status}'",
        "kubectl --namespace=shop get events",
    ],
)
def test_a_plain_kubectl_command_is_shown(command: str) -> None:
    assert refusal(command) is None


@pytest.mark.parametrize(
    "command",
    [
        "",
        "rm -rf /",
        "kubectl",
        "kubectl delete pod api-0",
        "kubectl exec -it api-0 -- sh",
        "kubectl apply -f https://example.invalid/x.yaml",
        "kubectl get pods; reboot",
        "kubectl get pods && reboot",
        "kubectl get pods | sh",
        "kubectl get pods > /etc/passwd",
        "kubectl get pods `id`",
        "kubectl get pods $(id)",
        'kubectl get pods "$(id)"',
        "kubectl get pods\nreboot",
        "kubectl get pods 'open",
        "sudo kubectl get pods",
        "/tmp/kubectl get pods",
        "kubectl get secrets -o yaml",
        "kubectl get secret/db -o yaml",
        "kubectl get pods,secrets",
        "kubectl -n shop get secret db",
        "kubectl --server https://example.invalid get pods",
        "kubectl -shttps://example.invalid get pods",
        "kubectl get pods --token=x",
        "kubectl get --raw /api",
        "kubectl create token app",
        "kubectl set subject x",
        "kubectl get pods " + "x" * 500,
    ],
)
def test_any_other_command_is_refused(command: str) -> None:
    assert refusal(command) is not None


@settings(max_examples=200, deadline=None)
@given(st.text() | st.text().map("kubectl get {}".format))
def test_no_command_breaks_the_check(command: str) -> None:
    if refusal(command) is None:
        assert command.split()[0] == "kubectl"
        assert not set(command) & set(";|&<>`$\n")


def test_a_model_that_copies_its_prompt_has_not_answered() -> None:
    copied = {**GOOD, "explanation": "E1 | Status <<0a1b2c3d>> container api: waiting <<0a1b2c3d>>"}
    with pytest.raises(ModelError, match="copied its prompt"):
        check_answer(json.dumps(copied), evidence_ids=["E1"])
