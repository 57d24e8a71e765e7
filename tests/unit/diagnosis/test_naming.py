"""A question about a name that nobody knows is told from one in plain English."""

from __future__ import annotations

import pytest

from kausa.diagnosis.naming import did_you_mean, naming_of
from kausa.recall.query import analyse
from kausa.telemetry.clock import utc_now

KNOWN = frozenset({"session", "worker", "api-1", "web"})


def unknown(question: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    found = naming_of(analyse(question, now=utc_now()), known=KNOWN, owners=KNOWN)
    return found.unknown, found.perhaps


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("why does nosuchthing crash?", "nosuchthing"),
        ("why is billing failing?", "billing"),
        ("why does deployment/nope crash?", "nope"),
        ("why does worker crash, and deployment/nope?", "nope"),
        ("what happened to cart-service?", "cart-service"),
        ("is pay2 broken", "pay2"),
        ("why does cart-7d4b9c6f5d-x2x4k restart?", "cart-7d4b9c6f5d-x2x4k"),
    ],
)
def test_a_name_that_nobody_knows_is_found(question: str, name: str) -> None:
    assert name in unknown(question)[0]


@pytest.mark.parametrize(
    "question",
    [
        "why does it crash?",
        "what is broken?",
        "why does everything fail?",
        "why does session crash?",
        "why does Session crash?",
        "why does api-1 crash?",
        "why does web-7d4b9c6f5d-x2x4k crash?",
        "why was the pod out-of-memory killed with exit code 137?",
        "why is the database slow since yesterday?",
        "what is an x509 error and a read-only file system?",
        "why does the container end with CrashLoopBackOff after 10 minutes?",
        "why does traffic fail?",
        "does the rollout hang at 10:30 on 2026-02-03?",
        "what changed before the failure?",
        "please explain what happened and how it can be mended",
        "why does the program exit with 1?",
    ],
)
def test_plain_english_and_what_is_known_is_refused_nothing(question: str) -> None:
    assert unknown(question)[0] == ()


@pytest.mark.parametrize(
    "question", ["what is wrong with billing?", "why does the billing crash so often?"]
)
def test_a_plain_word_where_a_name_would_stand_is_only_noted(question: str) -> None:
    assert unknown(question) == ((), ("billing",))


def test_what_was_meant_is_told_where_it_is_near() -> None:
    assert did_you_mean("sesion", KNOWN) == " Did you mean session?"
    assert did_you_mean("nosuchthing", KNOWN) == ""
