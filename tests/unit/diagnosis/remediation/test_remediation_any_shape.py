"""Whatever shape objects have, fixes are built or left out, and never fall over."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.changes import FAILING, symptom
from support.dossiers import DEPLOYMENT

from kausa.cluster.objects import ObjectReference
from kausa.diagnosis.decide import completed
from kausa.diagnosis.finding import Diagnosis
from kausa.diagnosis.remediation.patches import is_whole, patch_text
from kausa.diagnosis.remediation.setting_back import set_back
from kausa.diagnosis.remediation.workload import workload_of
from kausa.evidence.dossier import Change, Dossier, Evidence, Source
from kausa.resources.category import Category
from kausa.resources.diagnosis import DecidedBy
from kausa.resources.evidence import EvidenceKind

API = "spec.template.spec.containers[api]"
FIELDS = st.sampled_from(
    [
        *(f"{API}.image", f"{API}.command", f"{API}.env[A]", f"{API}.env[]", f"{API}.envFrom[x]"),
        *(f"{API}.resources.limits.memory", f"{API}.resources.limits[a/b]", f"{API}.ports[80]"),
        *(f"{API}.livenessProbe", f"{API}.livenessProbe.httpGet.port", f"{API}.volumeMounts[/x]"),
        *(f"{API}.livenessProbe.exec.command", f"{API}.securityContext.capabilities.add"),
        *("spec.template.spec.volumes[v]", "spec.template.spec.tolerations[a:b]", "revision", ""),
        *("spec.template.spec.nodeSelector[a.b/c]", "spec.template.spec.hostNetwork"),
        *("spec.template.spec.imagePullSecrets[x]", "spec.template.metadata.labels[x]", "]["),
    ]
)
VALUE = (
    st.none() | st.text(max_size=12) | st.sampled_from(["[", '{"a": 1}', "'", "…", "8080", "x y"])
)
CHANGES = st.lists(
    st.builds(
        Change,
        path=FIELDS.map("Deployment/checkout {}".format),
        before=VALUE,
        after=VALUE,
        citation=st.just("changed"),
    ),
    max_size=6,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
CONTAINER = st.dictionaries(
    st.sampled_from(["resources", "livenessProbe", "readinessProbe", "ports", "env"]), JSON
).map(lambda fields: {**fields, "name": "api"})
WORKLOAD = st.builds(
    lambda container, spec, status: {
        "kind": "Deployment",
        "metadata": {"name": "checkout"},
        "spec": {"template": {"spec": {**spec, "containers": [container]}}},
        "status": status,
    },
    CONTAINER,
    st.dictionaries(st.sampled_from(["nodeSelector", "tolerations"]), JSON),
    JSON,
)
OTHERS = st.lists(
    st.builds(
        lambda kind, spec, status: {
            "kind": kind,
            "metadata": {"name": "x"},
            "spec": spec,
            "status": status,
        },
        st.sampled_from(["Node", "LimitRange", "Service", "Pod"]),
        JSON,
        JSON,
    ),
    max_size=3,
)
TEXTS = st.sampled_from(
    [
        "Liveness probe failed: dial tcp 1.2.3.4:99999: connect: connection refused",
        "Readiness probe failed: context deadline exceeded",
        "exceeded quota: q, requested: a=1,b, used: =, limited: a=0",
        "didn't match Pod's node affinity/selector",
        "changed",
    ]
)


@pytest.mark.slow
@given(
    changes=CHANGES,
    workload=WORKLOAD,
    others=OTHERS,
    texts=st.lists(TEXTS, max_size=4),
    category=st.sampled_from(list(Category)),
    summary=st.text(max_size=20),
)
def test_remedies_are_built_from_anything(
    changes: list[Change],
    workload: dict[str, Any],
    others: list[dict[str, Any]],
    texts: list[str],
    category: Category,
    summary: str,
) -> None:
    dossier = Dossier(
        owner=DEPLOYMENT,
        shown_by=ObjectReference(kind="Pod", name="x", namespace="shop", uid="u"),
        pod=FAILING,
        symptom=symptom(category),
        changes=tuple(changes),
        manifests=(workload, *others),
        evidence=tuple(
            Evidence(
                id=f"E{number}",
                kind=EvidenceKind.EVENT if "probe" in text else EvidenceKind.CHANGE,
                source=Source(kind="Pod", name="x"),
                text=text,
            )
            for number, text in enumerate(texts, start=1)
        ),
    )
    made = Diagnosis(
        category=category,
        summary=summary,
        root_cause="",
        explanation="",
        confidence=60,
        decided_by=DecidedBy.RULES,
        citations=("E1",),
    )
    for fix in completed(dossier, made).fixes:
        assert fix.patch is not None or fix.command
        if fix.patch is not None:
            assert is_whole(fix.patch)
            assert patch_text(fix.patch)
    found = workload_of(dossier)
    assert found is not None
    for change in changes:
        body = set_back(change, found)
        assert body is None or set(body) == {"spec"}
    assert completed(dataclasses.replace(dossier, symptom=None), made) == made
