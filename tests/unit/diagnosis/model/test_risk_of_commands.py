"""A command says how much it may break by what it does to what runs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from unit.diagnosis.model.steering import request_with

from kausa.diagnosis.model.command_objects import judge
from kausa.diagnosis.model.commands import refusal
from kausa.diagnosis.model.protocol import Incident, ModelRequest, NumberedEvidence
from kausa.resources.diagnosis import Risk

HELPED = (
    "scaled to 3 replicas",
    "restarted the Deployment",
    "set the memory limit of container api to 128Mi",
)
REQUEST = replace(
    request_with(None),
    rolled_out=True,
    images=("registry.example/checkout:2.4.0",),
    incidents=tuple(
        Incident(cause="it failed", resolution=each, outcome="worked", score=90) for each in HELPED
    ),
)
SCALE = "kubectl scale deployment/checkout --replicas=3"


def wanting(count: int, *, kind: str = "Owner", name: str = "checkout") -> ModelRequest:
    told = NumberedEvidence(
        id="E6",
        kind=kind,
        source=f"Deployment/{name} status",
        text=f"Deployment {name}: wants {count} replicas; 1 there",
    )
    return replace(REQUEST, evidence=(*REQUEST.evidence, told))


def risk(command: str, request: ModelRequest = REQUEST) -> Risk:
    verdict = judge(command, request)
    assert verdict.command is not None, verdict.problem
    return verdict.risk


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("kubectl get pods", Risk.LOW),
        ("kubectl describe deployment checkout", Risk.LOW),
        ("kubectl logs deployment/checkout --previous", Risk.LOW),
        ("kubectl rollout status deployment/checkout", Risk.LOW),
        ("kubectl rollout history deployment/checkout", Risk.LOW),
        ("kubectl rollout restart deployment/checkout", Risk.MEDIUM),
        ("kubectl set image deployment/checkout api=registry.example/checkout:2.4.0", Risk.MEDIUM),
        ("kubectl set resources deployment/checkout -c api --limits=memory=128Mi", Risk.MEDIUM),
        ("kubectl rollout undo deployment/checkout", Risk.HIGH),
    ],
)
def test_what_takes_a_revision_away_is_high(command: str, expected: Risk) -> None:
    assert risk(command) is expected


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (wanting(1), Risk.MEDIUM),
        (wanting(3), Risk.MEDIUM),
        (wanting(5), Risk.HIGH),
        (REQUEST, Risk.HIGH),
        # Only what Kausa read of the same workload tells that none is taken away.
        (wanting(1, kind="Log"), Risk.HIGH),
        (wanting(1, name="other"), Risk.HIGH),
    ],
)
def test_scaling_is_high_unless_it_is_known_to_take_no_pod_away(
    request_: ModelRequest, expected: Risk
) -> None:
    assert risk(SCALE, request_) is expected


@pytest.mark.parametrize(
    "words",
    [
        *("delete pod checkout-0", "drain n1", "replace --force -f x.yaml", "evict pod a"),
        *("cordon n1", "taint nodes n1 a=b:NoExecute", "rollout pause deployment/checkout"),
    ],
)
def test_what_would_destroy_is_on_no_list(words: str) -> None:
    assert refusal(f"kubectl {words}") is not None


def test_scaling_to_zero_is_borne_by_nothing() -> None:
    verdict = judge("kubectl scale deployment/checkout --replicas=0", wanting(1))
    assert (verdict.command, verdict.spoils) == (None, True)
