"""What is advised can mend what is wrong, and is told in words that people compare at a glance."""

from __future__ import annotations

import pytest
from support.dossiers import dossier
from support.pods import container, pod, terminated, waiting

from kausa.diagnosis.finding import Finding
from kausa.diagnosis.rules.engine import find_all
from kausa.diagnosis.rules.scheduling_needs import Needs
from kausa.diagnosis.rules.stated_jobs import JOB_STATEMENTS
from kausa.diagnosis.rules.stated_permissions import PERMISSION_STATEMENTS
from kausa.diagnosis.rules.statement import Statement
from kausa.resources.diagnosis import Risk

FAILING = pod(container(waiting("CrashLoopBackOff"), last=terminated(1), restarts=3))


def best(log: str) -> Finding:
    return find_all(dossier(FAILING, log=log))[0]


def forbidden(resource: str, where: str) -> Finding:
    return best(
        f'FATAL: {resource} is forbidden: User "system:serviceaccount:shop:robot" cannot list '
        f'resource "{resource}" in API group "" {where}\n'
    )


@pytest.mark.parametrize(("resource", "risk"), [("secrets", Risk.HIGH), ("nodes", Risk.MEDIUM)])
def test_what_is_forbidden_in_the_whole_cluster_takes_a_cluster_role_and_is_a_risk(
    resource: str, risk: Risk
) -> None:
    found = forbidden(resource, "at the cluster scope")
    fix = found.fixes[0]
    assert "ClusterRole " in fix.title
    assert "ClusterRoleBinding" in fix.title
    assert "at all" in fix.title
    assert fix.risk is risk
    assert fix.command is not None
    assert "clusterrolebindings" in fix.command
    assert "shop/robot" in found.root_cause
    assert "at the cluster scope" in found.root_cause


def test_what_is_forbidden_in_a_namespace_takes_a_role() -> None:
    fix = forbidden("configmaps", 'in the namespace "shop"').fixes[0]
    assert "Cluster" not in fix.title
    assert "rolebindings" in (fix.command or "")
    assert "cluster" not in (fix.command or "")


def _stated(message: str) -> Statement:
    return next(each for each in PERMISSION_STATEMENTS if each.pattern.search(message))


def test_kubernetes_own_words_about_the_cluster_scope_are_read_in_the_same_way() -> None:
    words = 'User "system:serviceaccount:a:b" cannot list resource "secrets" in API group ""'
    whole = _stated(f"{words} at the cluster scope")
    assert "ClusterRoleBinding" in whole.advice
    assert whole.risk_of({"resource": "secrets"}) is Risk.HIGH
    assert whole.risk_of({"resource": "nodes"}) is Risk.MEDIUM
    within = _stated(f'{words} in the namespace "a"')
    assert "a Role and a RoleBinding" in within.advice
    assert within.risk_of({"resource": "secrets"}) is Risk.LOW


@pytest.mark.parametrize(
    ("clock", "said", "never"),
    [
        ("after 2026-02-01T00:00:00Z", "has expired (at 2026-02-01T00:00:00Z)", "not yet valid"),
        ("before 2026-03-01T00:00:00Z", "is not yet valid (before 2026-03-01", "has expired"),
    ],
)
def test_the_clock_in_the_message_settles_on_which_side_of_its_dates_a_certificate_is(
    clock: str, said: str, never: str
) -> None:
    found = best(
        'FATAL: Get "https://rates.example.com/v1": tls: failed to verify certificate: x509: '
        "certificate has expired or is not yet valid: current time 2026-02-03T04:05:06Z is "
        f"{clock}\n"
    )
    assert said in found.summary
    assert never not in found.summary
    fix = found.fixes[0]
    assert "rates.example.com" in fix.title
    assert fix.command is not None
    assert "get secrets" in fix.command
    assert "-o yaml" not in fix.command


def test_without_a_clock_in_the_message_both_are_possible() -> None:
    found = best("FATAL: x509: certificate has expired or is not yet valid\n")
    assert "has expired or is not yet valid" in found.summary


def _node(memory: str) -> dict[str, object]:
    return {"metadata": {"name": "n1"}, "status": {"allocatable": {"memory": memory}}}


@pytest.mark.parametrize(
    ("given", "said"), [("24581684Ki", "23.44Gi on node n1"), ("16Gi", "16Gi on node n1")]
)
def test_what_a_node_has_is_told_in_a_unit_that_people_ask_in(given: str, said: str) -> None:
    assert Needs(spec={}, nodes=(_node(given),)).largest("memory") == said


def test_no_statement_about_jobs_counts_pods_without_looking_at_the_number() -> None:
    for statement in JOB_STATEMENTS:
        for text in (statement.summary, statement.root_cause):
            assert "failed Pods" not in text
            assert "{failed} Pods" not in text
