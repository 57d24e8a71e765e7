"""Alternatives that say what the cause says already are none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.rule_dossiers import gathered, raw_pod

from kausa.diagnosis.finding import Finding
from kausa.diagnosis.rules.engine import decide_by_rules
from kausa.diagnosis.rules.repeats import says_again
from kausa.evidence.dossier import Dossier, Reference, Source
from kausa.resources.category import Category

SPEC = Source(kind="Pod", name="api-1", field_path="spec.containers[api].envFrom")


def reference(name: str, *, kind: str = "ConfigMap", key: str = "") -> Reference:
    return Reference(by=SPEC, kind=kind, name=name, namespace="shop", key=key)


def finding(
    summary: str,
    *,
    rule: str = "some.rule",
    category: Category = Category.CONFIG,
    citations: tuple[str, ...] = ("E1",),
    cause: str = "",
) -> Finding:
    return Finding(
        rule=rule,
        category=category,
        summary=summary,
        root_cause=cause or summary,
        explanation="",
        confidence=80,
        citations=citations,
    )


@pytest.fixture
def dossier() -> Dossier:
    pod = raw_pod(containers=[{"name": "api"}], statuses=[{"name": "api", "restartCount": 3}])
    known = (reference("settings"), reference("more"), reference("settings", key="port"))
    return replace(gathered(pod, log="x"), references=known)


CAUSE = finding("ConfigMap settings does not exist, and container api needs it")


@pytest.mark.parametrize(
    ("other", "again"),
    [
        (finding("ConfigMap settings does not exist (missing), and Pod api-1 needs it"), True),
        (finding('configmap "settings" not found', citations=("E1", "E9")), True),
        (finding("ConfigMap settings-2 does not exist", citations=("E1", "E9")), False),
        (finding("ConfigMap more does not exist (missing)", citations=("E1",)), False),
        (finding("ConfigMap settings and ConfigMap more do not exist"), False),
        (finding("key port is missing in ConfigMap settings"), False),
        (finding("Secret settings does not exist", citations=("E7",)), False),
        (finding("container api reads ConfigMap settings, which it cannot parse"), False),
        # Of another kind of cause, and from other evidence.
        (
            finding(
                "ConfigMap settings does not exist", category=Category.VOLUME, citations=("E7",)
            ),
            False,
        ),
    ],
)
def test_the_same_missing_object_is_no_alternative(
    dossier: Dossier, other: Finding, again: bool
) -> None:
    assert says_again(other, cause=CAUSE, dossier=dossier) is again


def test_one_who_names_it_for_another_reason_says_not_that_it_is_missing(dossier: Dossier) -> None:
    cause = finding(
        "the registry refuses access with ConfigMap settings", cause="The image does not exist."
    )
    missing = finding("ConfigMap settings does not exist (missing)")
    assert not says_again(missing, cause=cause, dossier=dossier)


def test_what_rests_on_nothing_else_is_none_where_it_is_of_the_same_kind(dossier: Dossier) -> None:
    cause = finding("the probe is answered with 404: nothing serves /x", citations=("E1", "E2"))
    assert says_again(finding("the probe is answered 404"), cause=cause, dossier=dossier)
    unlike = finding("the container listens on another port")
    assert not says_again(unlike, cause=cause, dossier=dossier)
    more = finding("it is slow", citations=("E1", "E3"))
    assert not says_again(more, cause=cause, dossier=dossier)
    other = finding("it ran out of memory", category=Category.OOM_KILLED)
    assert not says_again(other, cause=cause, dossier=dossier)


def test_an_end_that_quotes_the_cause_is_none(dossier: Dossier) -> None:
    cause = finding(
        "container api needs the environment variable REGION",
        cause='It says: "REGION is not set anywhere".',
    )
    ended = finding(
        "container api ends with exit code 1: REGION is not set any…",
        rule="crash.exits",
        category=Category.CRASH_LOOP,
        citations=("E5",),
    )
    assert says_again(ended, cause=cause, dossier=dossier)
    other = finding(
        "container api ends with exit code 1: the disk is full",
        rule="crash.exits",
        category=Category.CRASH_LOOP,
        citations=("E5",),
    )
    assert not says_again(other, cause=cause, dossier=dossier)


def test_a_diagnosis_has_no_alternative_that_is_its_cause() -> None:
    waiting = {
        "reason": "CreateContainerConfigError",
        "message": 'configmap "settings" not found',
    }
    pod = raw_pod(
        containers=[{"name": "api", "envFrom": [{"configMapRef": {"name": "settings"}}]}],
        statuses=[{"name": "api", "state": {"waiting": waiting}}],
        phase="Pending",
    )
    diagnosis = decide_by_rules(gathered(pod))
    assert "ConfigMap settings does not exist" in diagnosis.summary
    assert not [each for each in diagnosis.alternatives if "settings" in each.summary]
