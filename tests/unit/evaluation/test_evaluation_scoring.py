"""An answer is right where its outcome, its category and its words are."""

from __future__ import annotations

import re
from pathlib import Path

from support.snapshots import crashing_pod, loaded, thin_pod, warning

from kausa.evaluation.cases import Expectation
from kausa.evaluation.echo import echo_of
from kausa.evaluation.scoring import LONGEST_TEXT, scored_text, shortcomings


def expectation(
    outcome: str = "failure",
    category: str | None = "OOMKilled",
    says: tuple[tuple[str, ...], ...] = (("memory", "oom"), ("64 ?Mi",)),
    never_says: tuple[str, ...] = ("image",),
) -> Expectation:
    return Expectation(
        outcome=outcome,
        category=category,
        says=tuple(tuple(re.compile(each, re.I) for each in group) for group in says),
        never_says=tuple(re.compile(each, re.I) for each in never_says),
    )


def wrong(
    text: str,
    *,
    expect: Expectation | None = None,
    fails: bool = True,
    category: str | None = "OOMKilled",
) -> tuple[str, ...]:
    return shortcomings(expect or expectation(), fails=fails, category=category, text=text)


def test_one_of_every_group_is_enough() -> None:
    assert wrong("the Memory limit of 64Mi") == ()
    assert wrong("OOM at 64 Mi") == ()


def test_what_is_missing_is_told() -> None:
    assert wrong("the memory limit") == ("does not say: 64 ?Mi",)
    assert wrong("64Mi") == ("does not say: memory | oom",)


def test_what_must_not_be_said_is_told() -> None:
    assert wrong("the image needs memory: 64Mi") == ("says: image",)


def test_the_category_counts_unless_any_will_do() -> None:
    assert wrong("memory 64Mi", category="Probe") == ("category: said Probe, is OOMKilled",)
    anything = expectation(category=None)
    assert wrong("memory 64Mi", category="Probe", expect=anything) == ()


def test_a_failure_that_is_taken_for_health_and_the_reverse_are_wrong() -> None:
    assert "outcome: said healthy, is failure" in wrong("memory 64Mi", fails=False)
    healthy = expectation(outcome="healthy", category=None, says=(), never_says=())
    assert wrong("", expect=healthy, fails=True) == ("outcome: said failure, is healthy",)
    assert wrong("", expect=healthy, fails=False, category=None) == ()


def test_only_so_much_is_scored() -> None:
    text = scored_text("summary", "x" * 1_000 + "memory")
    assert len(text) == LONGEST_TEXT
    assert text.startswith("summary\nxxx")
    assert scored_text("a", "b") == "a\nb"


def test_an_echo_repeats_warnings_first_and_stops_where_a_diagnosis_must(tmp_path: Path) -> None:
    pod = crashing_pod("a")
    said = warning("BackOff", "Back-off restarting", about=pod)
    normal = {**warning("Pulled", "Container image", about=thin_pod("b")), "type": "Normal"}
    echo = echo_of(loaded(tmp_path, pod, said, normal))
    assert echo.startswith("BackOff: Back-off restarting; ")
    assert "Pulled" not in echo
    many = [warning(f"R{n}", "x" * 90, about=pod) for n in range(20)]
    assert len(echo_of(loaded(tmp_path, *many))) == LONGEST_TEXT
