"""Whatever a program writes: no idea raises, none takes long, and all that is said is bounded."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.dossiers import dossier
from support.effort import assert_linear
from support.pods import container, pod, terminated, waiting

from kausa.cluster.objects import Pod
from kausa.diagnosis.rules.application.catalogue import IDEAS
from kausa.diagnosis.rules.application.idea import Idea
from kausa.diagnosis.rules.application.slowness import slowest
from kausa.diagnosis.rules.application.targets import find_target
from kausa.diagnosis.rules.application.typos import distance, likely_command
from kausa.diagnosis.rules.engine import decide_by_rules, find_all
from kausa.diagnosis.rules.image_causes import CAUSES
from kausa.diagnosis.rules.image_name import ImageName, likely_image, odd_in
from kausa.diagnosis.rules.probe_answers import ANSWERS
from kausa.diagnosis.rules.runtime_refusals import REFUSALS

LONGEST = 4000
GENEROUS_SECONDS = 10.0
"""What is quadratic in a megabyte takes hours."""
PIECES = (
    "connection refused ", "dial tcp 10.0.0.1:1: ", "lookup a on b: ", "Caused by: ", "/a/b/c ",
    "permission denied ", "KeyError: 'A' ", "environment variable A ", "no such file ", "a.b.c.d ",
    "panic: ", "exec: \"", "subPath", "x509: ", "password=", "10.0.0.1:80", "at ", "\n", " {}<<>>",
    "host=a port=1 ", "https://a:b@c:1/", "File \"a\", line 1", "Error: ", "waiting for a...",
)  # fmt: skip
HOSTILE = (
    "a",
    "/",
    "a/",
    "A_",
    "a.",
    ":1",
    "(",
    " ",
    '"',
    "connect ",
    "error while error while ",
    "port 1 bind ",
    "config error failed to read ",
    "certificate ",
)


def crashing(message: str = "") -> Pod:
    last = terminated(1, "Error", message)
    return pod(container(waiting("CrashLoopBackOff"), last=last, restarts=3))


@given(log=st.lists(st.sampled_from(PIECES) | st.text(max_size=20), max_size=30).map("".join))
def test_no_log_makes_a_rule_raise(log: str) -> None:
    found = dossier(crashing(log[:200]), log=log)
    ids = {each.id for each in found.evidence}
    for finding in find_all(found):
        assert set(finding.citations) <= ids
        assert "\n" not in finding.summary
        assert 0 < finding.confidence < 100
    answer = decide_by_rules(found)
    assert len(answer.summary) + len(answer.root_cause) <= 700


@pytest.mark.slow
@pytest.mark.parametrize("idea", IDEAS, ids=lambda each: each.rule)
def test_an_idea_reads_hostile_words_in_no_time(idea: Idea) -> None:
    for words in HOSTILE:
        assert_linear(idea.look, words, size=LONGEST)


@pytest.mark.slow
def test_all_other_tables_read_hostile_words_in_no_time() -> None:
    patterns = [each.pattern for each in CAUSES]
    patterns += [each.pattern for each in ANSWERS]
    patterns += [each.pattern for each in REFUSALS]
    for words in HOSTILE:
        for each in patterns:
            assert_linear(each.search, words, size=LONGEST)
        for read in (find_target, slowest, likely_command, _image):
            assert_linear(read, words, size=LONGEST)


def _image(words: str) -> None:
    likely_image(ImageName.parse(words))
    odd_in(words)


def test_a_megabyte_in_one_line_is_read_in_no_time() -> None:
    found = dossier(crashing(), log="connection refused by lookup dial tcp " * 28_000)
    begun = time.process_time()
    find_all(found)
    assert time.process_time() - begun < GENEROUS_SECONDS


def test_every_idea_has_a_name_of_its_own_cause_and_fits_into_its_texts() -> None:
    for idea in IDEAS:
        assert idea.rule.startswith("application.")
        assert idea.explanation
        assert idea.advice
        assert 50 < idea.confidence < 100


@pytest.mark.parametrize(
    ("written", "meant"),
    [("pyhton", "python"), ("gunicron", "gunicorn"), ("ndoe", "node"), ("/bin/bsah", "bash"),
     ("nginx", ""), ("frobnicate", ""), ("x", ""), ("", "")],
)  # fmt: skip
def test_the_command_that_was_meant_is_the_nearest_known_one(written: str, meant: str) -> None:
    assert likely_command(written) == meant


@given(st.text(max_size=12), st.text(max_size=12))
def test_a_distance_is_the_same_in_both_directions(one: str, other: str) -> None:
    assert distance(one, other) == distance(other, one)
    assert (distance(one, other) == 0) == (one == other)
