"""The questions, what answers them, and which half each belongs to.

    questions:
      - id: q001
        half: tuning            # or scoring: looked at once, at the end
        over: runbooks          # or failures
        question: ...
        right: [oom-limit-reached]   # names of built-in runbooks, or ids of cases; any is right

A question names no namespace but one of the case that it asks about.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import yaml

__all__ = ["Half", "Over", "Question", "check", "read_questions"]

Half = Literal["tuning", "scoring"]
Over = Literal["runbooks", "failures"]


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of them."""

    id: str
    half: Half
    over: Over
    question: str
    right: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BrokenQuestionsError(Exception):
    """The file cannot be used."""

    message: str

    def __str__(self) -> str:
        return self.message


def read_questions(path: Path) -> list[Question]:
    """All of them, in the order of the file."""
    try:
        document = yaml.safe_load(path.read_text())
        questions = msgspec.convert(document["questions"], list[Question], strict=True)
    except (OSError, KeyError, TypeError, msgspec.ValidationError, yaml.YAMLError) as error:
        raise BrokenQuestionsError(f"{path} has no questions that can be used: {error}") from error
    ids = [each.id for each in questions]
    twice = sorted({each for each in ids if ids.count(each) > 1})
    if twice:
        raise BrokenQuestionsError(f"{path} has ids twice: {', '.join(twice)}")
    return questions


def check(questions: list[Question], *, runbooks: set[str], cases: set[str]) -> None:
    """Refuse questions whose answers are not in what is searched."""
    known = {"runbooks": runbooks, "failures": cases}
    wrong = [
        f"{each.id} names {name!r}"
        for each in questions
        for name in each.right
        if name not in known[each.over]
    ]
    wrong += [f"{each.id} has no right answer" for each in questions if not each.right]
    if wrong:
        raise BrokenQuestionsError(f"answers that are not there: {'; '.join(wrong)}")
