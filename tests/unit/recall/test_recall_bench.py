"""The bench itself: what it counts, and that its questions can be answered."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from bench.recall.__main__ import verdict
from bench.recall.metrics import place_of, summed_up
from bench.recall.questions import BrokenQuestionsError, check, read_questions
from bench.recall.systems import AS_OPERATOR, FULL

from kausa.recall.runbook_library import built_in_runbooks

TESTS = Path(__file__).parents[2]
FOLDER = TESTS / "bench" / "recall"
RUNBOOKS = {each.name for each in built_in_runbooks()}
CASES = {each.parent.name for each in (TESTS / "cases").glob("*/case.yaml")}


def test_metrics_count_first_places_first_fives_and_reciprocal_places() -> None:
    found = summed_up([1, 2, 6, None])
    assert (found.recall_at_1, found.recall_at_5) == (0.25, 0.5)
    assert found.mrr == pytest.approx((1 + 1 / 2 + 1 / 6) / 4)
    assert summed_up([]).mrr == 0


def test_any_of_several_right_answers_is_right() -> None:
    assert place_of(["b", "c"], ["a", "c", "b"]) == 2
    assert place_of(["d"], ["a"]) is None


@pytest.mark.parametrize("name", ["development.yaml", "questions.yaml"])
def test_every_question_names_answers_that_are_there(name: str) -> None:
    check(read_questions(FOLDER / name), runbooks=RUNBOOKS, cases=CASES)


def test_a_hundred_questions_are_split_in_halves() -> None:
    questions = read_questions(FOLDER / "questions.yaml")
    assert Counter(each.half for each in questions) == {"tuning": 50, "scoring": 50}
    assert len({each.question for each in questions}) == 100


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("questions: 5", "no questions"),
        ("other: []", "no questions"),
        ("questions: [{id: a, half: third, over: runbooks, question: q, right: [x]}]", "half"),
    ],
)
def test_a_broken_file_says_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "questions.yaml"
    path.write_text(text)
    with pytest.raises(BrokenQuestionsError, match=said):
        read_questions(path)


def test_answers_that_are_not_there_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "questions.yaml"
    path.write_text(
        "questions: [{id: a, half: tuning, over: runbooks, question: q, right: [gone]}]"
    )
    with pytest.raises(BrokenQuestionsError, match="a names 'gone'"):
        check(read_questions(path), runbooks={"there"}, cases=set())


def test_the_whole_must_be_above_each_part_in_what_comes_first_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    full: list[int | None] = [*[1] * 99, None]
    worse: list[int | None] = [*[1] * 98, 2, None]
    assert verdict({FULL: full, "part": worse, AS_OPERATOR: full}) == 0
    # As often first as the whole, and worse below.
    whole: list[int | None] = [*[1] * 98, 2, 2]
    equal: list[int | None] = [*[1] * 98, 3, None]
    assert verdict({FULL: whole, "part": equal}) == 1
    assert "part is as good at recall_at_1" in capsys.readouterr().out
