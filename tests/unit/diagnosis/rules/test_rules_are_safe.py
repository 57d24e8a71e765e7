"""Whatever stands in a dossier, no rule raises, and no pattern takes long."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.effort import assert_linear
from support.surroundings import dossier_of, lost, pod_of, said

from kausa.diagnosis.rules.event_reasons import category_of_warning
from kausa.diagnosis.rules.healthy import nothing_fails
from kausa.diagnosis.rules.scheduling import no_node_fits
from kausa.diagnosis.rules.scheduling_clauses import read_verdict
from kausa.diagnosis.rules.stated import STATEMENTS, kubernetes_states_it
from kausa.diagnosis.rules.surroundings_rules import RULES
from kausa.evidence.dossier import Dossier

MINE = (*RULES, no_node_fits, kubernetes_states_it, nothing_fails)
KINDS = (
    "Pod", "Node", "PersistentVolumeClaim", "PersistentVolume", "Deployment", "ReplicaSet",
    "StatefulSet", "DaemonSet", "Job", "CronJob", "Service", "Endpoints", "Ingress",
    "NetworkPolicy", "HorizontalPodAutoscaler", "VolumeSnapshot",
)  # fmt: skip
FIELDS = (
    "spec", "status", "metadata", "labels", "annotations", "conditions", "type", "reason",
    "message", "replicas", "selector", "matchLabels", "template", "nodeSelector", "affinity",
    "nodeAffinity", "containers", "containerStatuses", "state", "waiting", "lastState",
    "terminated", "subsets", "addresses", "podSelector", "policyTypes", "phase", "accessModes",
    "dataSource", "suspend", "schedule", "updateStrategy", "rollingUpdate", "partition",
    "ownerReferences", "taints", "allocatable", "cpu", "topologySpreadConstraints", "resources",
    "requests", "volumes",
)  # fmt: skip
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
    | st.sampled_from(["True", "False", "Pending", "web-0", "DiskPressure", "Ready", "1"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
PLAIN = st.fixed_dictionaries(
    {"kind": st.sampled_from(KINDS), "metadata": st.fixed_dictionaries({"name": st.just("web-0")})},
    optional={"spec": ODD, "status": ODD, "subsets": ODD},
)
WILD = st.fixed_dictionaries(
    {"kind": st.sampled_from(KINDS)}, optional={"metadata": ODD, "spec": ODD, "status": ODD}
)


def odd_dossier(kind: str, manifests: list[Any], reason: str, message: str) -> Dossier:
    plain = dossier_of(
        said(reason, message),
        shown_by=(kind, "web-0"),
        pod=pod_of(node="n1") if kind == "Pod" else None,
        references=[lost(kind, "web-0", key="x", problem=message[:20])],
    )
    return Dossier(
        owner=plain.owner,
        shown_by=plain.shown_by,
        pod=plain.pod,
        symptom=None,
        evidence=plain.evidence,
        manifests=tuple(manifests),
        references=plain.references,
    )


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    kind=st.sampled_from(KINDS),
    manifests=st.lists(PLAIN | WILD | ODD, max_size=4),
    reason=st.sampled_from(
        ["FailedScheduling", "FailedMount", "NodeNotReady", "FailedCreatePodSandBox", "Failed"]
    ),
    message=st.text(max_size=60),
)
def test_no_manifest_makes_a_rule_raise(
    kind: str, manifests: list[Any], reason: str, message: str
) -> None:
    dossier = odd_dossier(kind, manifests, reason, message)
    ids = {each.id for each in dossier.evidence}
    for rule in MINE:
        found = rule(dossier)
        if found is not None:
            assert set(found.citations) <= ids
            assert len(found.summary) + len(found.root_cause) <= 700
            assert 0 < found.confidence <= 98


GENEROUS_SECONDS = 10.0
"""What is quadratic in a megabyte takes hours."""
HOSTILE = [
    "a" * 1_000_000,
    "failed calling webhook " * 40_000,
    'failed calling webhook "x": ' * 30_000,
    "Insufficient cpu, 1 node(s) had taint {" * 25_000,
    "lookup a on " * 80_000,
    "low on resource: a. Container a was using " * 22_000,
    " ".join("snapshot" for _ in range(110_000)),
    "1 " * 500_000,
]


@pytest.mark.slow
@pytest.mark.parametrize("words", HOSTILE, ids=[each[:20] for each in HOSTILE])
def test_a_megabyte_of_hostile_words_is_read_in_no_time(words: str) -> None:
    dossier = dossier_of(said("FailedScheduling", words), pod=pod_of(node="n1"))
    begun = time.process_time()
    for rule in MINE:
        rule(dossier)
    read_verdict(words)
    category_of_warning(words[:200])
    assert time.process_time() - begun < GENEROUS_SECONDS


@pytest.mark.slow
@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda each: each.rule)
def test_a_pattern_grows_no_faster_than_its_text(statement: Any) -> None:
    for words in HOSTILE:
        assert_linear(statement.pattern.search, words[:4096], size=8192)
