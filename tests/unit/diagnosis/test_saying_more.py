"""The failure's own reason, a sentence of the rules and the cause as a remedy say nothing more."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.diagnosed import diagnosed

from kausa.diagnosis.matters import Matter, matter_of_resource
from kausa.diagnosis.model.protocol import ModelAnswer, ModelFix
from kausa.diagnosis.saying_more import is_only_the_cause, known_by, says_more
from kausa.resources.category import Category
from kausa.resources.diagnosis import Risk

ANSWER = ModelAnswer(
    category=Category.CONFIG,
    summary="variable REGION is not set",
    root_cause="The variable REGION is not set.",
    explanation="",
    confidence=60,
    citations=("E1",),
)


def matter(*, reason: str = "CrashLoopBackOff", resolved: bool = False) -> Matter:
    found = matter_of_resource(diagnosed(resolved=resolved))
    assert found is not None
    return replace(found, request=replace(found.request, reason=reason))


@pytest.mark.parametrize(
    "sentence",
    [
        "The failure is caused by a crash loop back-off.",
        "The Pod fails due to CrashLoopBackOff.",
        "Container api of Deployment checkout is in a crash loop.",
        "Container api is in back-off restarting.",
        "Container api reached its memory limit of 256Mi.",
        "container api reached its memory limit of 256Mi",
    ],
)
def test_what_is_known_anyway_is_nothing_more(sentence: str) -> None:
    assert not says_more(sentence, [matter()])


@pytest.mark.parametrize(
    "sentence",
    [
        "The variable REGION is not set.",
        "Container api exited with code 3.",
        "The program raised OutOfMemoryError: Java heap space.",
        "The database refused the connection.",
        "Container api needs more memory than its limit.",
    ],
)
def test_what_tells_a_fact_is_more(sentence: str) -> None:
    assert says_more(sentence, [matter()])


def test_that_nothing_fails_is_an_answer() -> None:
    assert says_more("There is no failure now.", [matter(resolved=True)])


def test_a_sentence_is_known_by_what_it_says() -> None:
    assert known_by("The variable  REGION is not set.") == known_by("variable region is not set")


@pytest.mark.parametrize(
    ("title", "only"),
    [
        ("The variable REGION is not set", True),
        ("Root cause: The variable REGION is not set.", True),
        ("Set the variable REGION", False),
        ("Set REGION, because the variable REGION is not set in the environment", False),
        ("Look at the specification of the container", False),
    ],
)
def test_the_cause_is_no_remedy(title: str, *, only: bool) -> None:
    fix = ModelFix(title=title, rationale="", command=None, patch=None, risk=Risk.LOW)
    assert is_only_the_cause(fix, ANSWER) is only
    assert not is_only_the_cause(replace(fix, command="kubectl get pods"), ANSWER)
