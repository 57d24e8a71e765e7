"""Each clause of the scheduler is told with what the Pod asks for and what the nodes have."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.surroundings import best, dossier_of, made, pod_of, said

from kausa.diagnosis.rules.engine import find_all
from kausa.diagnosis.rules.scheduling import no_node_could_fit, no_node_fits
from kausa.diagnosis.rules.scheduling_clauses import is_of_volumes, read_verdict
from kausa.resources.category import Category

TAIL = " preemption: 0/4 nodes are available: 4 Preemption is not helpful for scheduling."


def node(name: str, *, cpu: str = "4", **more: Any) -> dict[str, Any]:
    allocatable = {"cpu": cpu, "memory": "8Gi", "pods": "110"}
    status = {"allocatable": allocatable, "conditions": [{"type": "Ready", "status": "True"}]}
    return made("Node", name, namespace="", status=status, **more)


def asked(**requests: str) -> dict[str, Any]:
    return {"containers": [{"name": "app", "resources": {"requests": requests}}]}


CLAUSES = [
    ("1 Insufficient cpu", ("insufficient", 1)),
    ("2 Insufficient nvidia.com/gpu", ("insufficient", 2)),
    ("3 Too many pods", ("too-many-pods", 3)),
    ("1 node(s) had untolerated taint {dedicated: gpu}", ("taint", 1)),
    ("1 node(s) had taint {a/b: }, that the pod didn't tolerate", ("taint", 1)),
    ("2 node(s) had untolerated taint(s)", ("taint", 2)),
    ("2 node(s) didn't match Pod's node affinity/selector", ("selector", 2)),
    ("2 node(s) didn't match node selector", ("selector", 2)),
    ("1 node(s) didn't match the requested node name", ("node-name", 1)),
    ("4 node(s) didn't match pod topology spread constraints", ("spread", 4)),
    ("4 node(s) didn't match pod topology spread constraints (missing required label)",
     ("spread-label", 4)),
    ("1 node(s) didn't match pod affinity rules", ("pod-affinity", 1)),
    ("1 node(s) didn't match pod anti-affinity rules", ("anti-affinity", 1)),
    ("1 node(s) didn't satisfy existing pods anti-affinity rules", ("anti-affinity-of-others", 1)),
    ("1 node(s) didn't have free ports for the requested pod ports", ("ports", 1)),
    ("1 node(s) were unschedulable", ("cordoned", 1)),
    ("1 node(s) had volume node affinity conflict", ("volume-affinity", 1)),
    ("1 node(s) had no available volume zone", ("volume-zone", 1)),
    ("1 node(s) didn't find available persistent volumes to bind", ("volume-none", 1)),
    ("1 node(s) exceed max volume count", ("volume-count", 1)),
    ("1 node(s) did not have enough free storage", ("volume-space", 1)),
    ("pod has unbound immediate PersistentVolumeClaims", ("unbound", None)),
    ('persistentvolumeclaim "data" not found', ("claim", None)),
    ("1 NodeUnderDiskPressure", ("pressure", 1)),
    ("no nodes available to schedule pods", ("no-nodes", None)),
]  # fmt: skip


@pytest.mark.parametrize(("clause", "expected"), CLAUSES, ids=[each[0] for each in CLAUSES])
def test_every_clause_is_known_with_its_number(
    clause: str, expected: tuple[str, int | None]
) -> None:
    verdict = read_verdict(f"0/4 nodes are available: {clause}.{TAIL}")
    assert [(each.key, each.count) for each in verdict.clauses] == [expected]
    assert verdict.nodes == 4
    assert not verdict.preemption_helps


def test_several_clauses_keep_their_order_and_numbers() -> None:
    verdict = read_verdict(
        "0/9 nodes are available: 2 Insufficient cpu, 3 node(s) had untolerated taint "
        "{team: a, with comma}, 4 node(s) didn't match Pod's node affinity/selector. no new claims."
    )
    assert [(each.count, each.key) for each in verdict.clauses] == [
        (2, "insufficient"),
        (3, "taint"),
        (4, "selector"),
    ]


def test_what_stands_behind_preemption_is_no_reason() -> None:
    verdict = read_verdict(
        "0/2 nodes are available: 2 Too many pods. preemption: 0/2 nodes are available: "
        "1 Insufficient cpu, 1 No preemption victims found for incoming pod."
    )
    assert verdict.keys == ("too-many-pods",)
    assert verdict.preemption_helps


def waiting(message: str, *nodes: dict[str, Any], spec: dict[str, Any] | None = None) -> Any:
    return dossier_of(said("FailedScheduling", message), pod=pod_of(spec=spec), manifests=nodes)


def test_numbers_of_the_pod_and_of_the_largest_node_are_told() -> None:
    found = best(
        waiting(
            "0/2 nodes are available: 2 Insufficient cpu.",
            node("a", cpu="4"),
            node("b", cpu="15500m"),
            spec=asked(cpu="24"),
        )
    )
    assert found.category is Category.SCHEDULING
    assert "the Pod requests 24" in found.summary
    assert "15500m on node b" in found.summary
    assert "Request less cpu" in found.fixes[0].title


def test_the_overhead_of_a_runtime_class_is_counted() -> None:
    spec = {**asked(memory="1Gi"), "overhead": {"memory": "160Mi"}}
    found = best(waiting("0/1 nodes are available: 1 Insufficient memory.", node("a"), spec=spec))
    assert "1Gi + 160Mi overhead" in found.summary


def test_the_label_that_no_node_has_is_named_with_those_they_have() -> None:
    found = best(
        waiting(
            "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.",
            node("a", labels={"disk": "ssd"}),
            node("b", labels={"disk": "hdd"}),
            spec={"nodeSelector": {"disk": "nvme"}},
        )
    )
    assert "disk=nvme" in found.root_cause
    assert "disk=ssd (1 node)" in found.root_cause


def test_a_taint_is_named_with_the_nodes_that_have_it() -> None:
    taint = {"key": "team", "value": "ml", "effect": "NoSchedule"}
    found = best(
        waiting(
            "0/1 nodes are available: 1 node(s) had untolerated taint {team: ml}.",
            node("a", spec={"taints": [taint]}),
        )
    )
    assert "team=ml:NoSchedule on a" in found.root_cause


def test_a_label_that_is_missing_for_a_spread_is_told_with_the_node() -> None:
    spread = {"maxSkew": 1, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule"}
    found = best(
        waiting(
            "0/2 nodes are available: 2 node(s) didn't match pod topology spread constraints.",
            node("a", labels={"rack": "r1"}),
            node("b"),
            spec={"topologySpreadConstraints": [spread]},
        )
    )
    assert "maxSkew 1 over rack" in found.root_cause
    assert "label rack is missing on b" in found.root_cause


def test_reasons_that_alternate_are_all_told() -> None:
    events = (
        said("FailedScheduling", "0/3 nodes are available: 3 Insufficient memory.", minute=1),
        said("FailedScheduling", "0/3 nodes are available: 3 Too many pods.", minute=5),
    )
    found = best(dossier_of(*events, pod=pod_of()))
    assert "alternate" in found.root_cause
    assert "memory" in found.root_cause
    assert "Pods" in found.root_cause


def test_volumes_alone_are_a_matter_of_volumes() -> None:
    verdict = read_verdict("0/1 nodes are available: 1 node(s) had volume node affinity conflict.")
    assert is_of_volumes(verdict)
    found = best(waiting("0/1 nodes are available: 1 node(s) had volume node affinity conflict."))
    assert found.category is Category.VOLUME
    assert "node affinity" in found.summary


@pytest.mark.parametrize(
    ("spec", "nodes", "word"),
    [
        ({"nodeSelector": {"gpu": "yes"}}, [node("a")], "gpu"),
        (asked(cpu="64"), [node("a")], "insufficient cpu"),
        (None, [node("a", spec={"unschedulable": True})], "cordoned"),
    ],
    ids=["labels", "numbers", "cordoned"],
)
def test_what_no_node_has_is_told_where_no_scheduler_spoke(
    spec: dict[str, Any] | None, nodes: list[dict[str, Any]], word: str
) -> None:
    found = best(dossier_of(pod=pod_of(spec=spec), manifests=nodes))
    assert word in found.summary


def test_a_pod_that_some_node_could_take_is_not_said_to_fit_nowhere() -> None:
    dossier = dossier_of(
        pod=pod_of(spec={**asked(cpu="3"), "nodeSelector": {"disk": "ssd"}}),
        manifests=[node("a", labels={"disk": "ssd"}), node("b", spec={"unschedulable": True})],
    )
    assert no_node_could_fit(dossier) is None


def test_a_pod_that_runs_waits_for_no_node() -> None:
    ready = {"name": "app", "ready": True, "restartCount": 0, "state": {"running": {}}}
    dossier = dossier_of(
        said("FailedScheduling", "0/1 nodes are available: 1 Insufficient cpu."),
        pod=pod_of(phase="Running", node="a", containerStatuses=[ready]),
        manifests=[node("a")],
    )
    assert no_node_fits(dossier) is None
    assert no_node_could_fit(dossier) is None


def test_an_unknown_message_is_repeated() -> None:
    found = best(waiting("the scheduler's profile quasar is not configured"))
    assert "quasar" in found.summary
    assert found.confidence <= 60


def test_what_the_cluster_autoscaler_says_is_added() -> None:
    events = (
        said("FailedScheduling", "0/1 nodes are available: 1 Insufficient cpu."),
        said(
            "NotTriggerScaleUp", "pod didn't trigger scale-up: 1 Insufficient cpu", type_="normal"
        ),
    )
    assert "autoscaler adds no node" in best(dossier_of(*events, pod=pod_of())).root_cause


@given(st.text(max_size=300))
def test_no_words_of_the_scheduler_raise(words: str) -> None:
    for each in find_all(waiting(f"0/3 nodes are available: {words}")):
        assert each.summary
