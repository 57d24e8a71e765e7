"""What stands around a container's failure: another one, a change before it, a Pod that stays."""

from __future__ import annotations

import dataclasses
from typing import Any

from support.pods import container, terminated, waiting
from support.rule_dossiers import gathered, raw_pod

from kausa.diagnosis.finding import Diagnosis
from kausa.diagnosis.rules.engine import decide_by_rules
from kausa.evidence.dossier import Change

API = {"name": "api", "image": "registry.example/shop/api:1.2"}


def decided(document: dict[str, Any], **more: Any) -> Diagnosis:
    found = gathered(document, **more)
    answer = decide_by_rules(found)
    assert set(answer.citations) <= {each.id for each in found.evidence}
    return answer


def crashed(*, spec: dict[str, Any] | None = None, **ending: Any) -> dict[str, Any]:
    return raw_pod(
        containers=[{**API, **(spec or {})}],
        statuses=[container(waiting("CrashLoopBackOff"), last=terminated(**ending), restarts=4)],
    )


# Two at once, and what was changed.


def test_two_containers_that_fail_apart_are_both_told() -> None:
    document = raw_pod(
        containers=[API, {"name": "proxy", "image": "registry.example/mesh/proxy:3"}],
        statuses=[
            container(waiting("CrashLoopBackOff"), last=terminated(1), restarts=5),
            container(
                waiting("ImagePullBackOff", "manifest unknown"),
                name="proxy",
                image="",
            ),
        ],
    )
    answer = decided(document, log="panic: open /etc/a/b.yaml: no such file or directory\n")
    told = answer.summary + answer.root_cause
    assert "/etc/a/b.yaml" in told
    assert "mesh/proxy" in told
    assert any(each.category is not answer.category for each in answer.alternatives)


def with_change(path: str, *, before: str | None = None, after: str | None = None) -> Diagnosis:
    found = gathered(crashed(exit_code=1), log="fatal: cannot go on\n")
    change = Change(path=path, before=before, after=after)
    return decide_by_rules(dataclasses.replace(found, changes=(change,)))


def test_what_was_changed_before_is_told_behind_the_cause() -> None:
    answer = with_change(
        "Deployment/checkout spec.containers[api].image", before="1.1", after="1.2"
    )
    assert answer.root_cause.endswith("image was changed from 1.1 to 1.2.")


def test_a_change_that_cannot_matter_is_not_told() -> None:
    for path in ("Node/node-1 spec.taints[x]", "Deployment/checkout spec.replicas"):
        assert "Before it failed" not in with_change(path, before="1", after="2").root_cause


# Pods that do not go.


def deleted(state: dict[str, Any], *finalizers: str) -> dict[str, Any]:
    document = raw_pod(containers=[API], statuses=[container(state)])
    document["metadata"] |= {
        "deletionTimestamp": "2026-01-02T02:00:00Z",
        "deletionGracePeriodSeconds": 30,
        "finalizers": list(finalizers),
    }
    return document


def test_a_pod_whose_containers_have_ended_is_kept_by_its_finalizer_and_not_by_its_program() -> (
    None
):
    answer = decided(deleted(terminated(0, "Completed", seconds=-3000), "example.com/hold"))
    assert "finalizer example.com/hold keeps it" in answer.summary
    assert not any("terminationGracePeriod" in each.title for each in answer.fixes)


def test_a_program_that_still_runs_is_what_does_not_end() -> None:
    found = deleted({"running": {"startedAt": "2026-01-02T01:00:00Z"}}, "example.com/hold")
    assert "grace period" in decided(found).summary


def test_no_cause_is_told_twice() -> None:
    answer = decided(crashed(exit_code=1), log="panic: open /a/b.yaml: no such file or directory\n")
    summaries = [answer.summary, *(each.summary for each in answer.alternatives)]
    assert len(summaries) == len(set(summaries))
