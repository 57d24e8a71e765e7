"""What a model is told of a dossier."""

from __future__ import annotations

from support.dossiers import dossier
from support.pods import container, pod, terminated, waiting

from kausa.diagnosis.model.requesting import request_from
from kausa.diagnosis.rules.engine import decide_by_rules

CRASHING = pod(container(waiting("CrashLoopBackOff"), last=terminated(1), restarts=2))


def test_that_rules_decide_nothing_is_no_finding() -> None:
    # Told "does not decide (0 % sure)", the 0.5B said so, too, of evidence that named the cause.
    found = dossier(CRASHING)
    by_rules = decide_by_rules(found)
    assert not by_rules.determined
    request = request_from(found, by_rules, None)
    assert not any("does not decide" in each for each in request.findings)
    assert request.ruling is None


def test_what_rules_found_is_told_with_its_evidence() -> None:
    found = dossier(CRASHING, log="FATAL: variable REGION is not set\n")
    by_rules = decide_by_rules(found)
    request = request_from(found, by_rules, None)
    assert by_rules.determined
    assert "REGION" in request.findings[0]
    assert f"[{', '.join(by_rules.citations)}]" in request.findings[0]
    assert request.ruling is not None
    assert request.ruling.category is by_rules.category
