"""What a model changes is told case by case, and never hidden in a rate."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from support.cases import case_of

from kausa.diagnosis.consultation import Consultation
from kausa.diagnosis.decide import decide
from kausa.diagnosis.finding import Diagnosis
from kausa.diagnosis.model.protocol import ModelAnswer, ModelReply
from kausa.diagnosis.recollection import Recollection
from kausa.evaluation.cases import read_case
from kausa.evaluation.consulting import Consulted, consult_all
from kausa.evaluation.model_report import consulted_line, model_document, model_tables
from kausa.evaluation.running import Decides, Result, run_case
from kausa.evaluation.withheld import undecided
from kausa.evidence.dossier import Dossier
from kausa.evidence.redaction import Redactor
from kausa.resources.category import Category
from kausa.resources.diagnosis import DecidedBy

REDACTOR = Redactor(key=bytes(32))


class Fake:
    """Answers as it is told to, and notes what it was asked, and how many at once."""

    def __init__(self, answer: Callable[[Diagnosis], Consultation]) -> None:
        self.answer = answer
        self.questions: list[str | None] = []
        self.running = self.most = 0

    async def consult(
        self,
        dossier: Dossier,
        by_rules: Diagnosis,
        recollection: Recollection | None,
        *,
        question: str | None,
    ) -> Consultation:
        self.questions.append(question)
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0)
        self.running -= 1
        return self.answer(by_rules)


def says(summary: str, *, category: Category = Category.CONFIG) -> Callable[..., Consultation]:
    def answer(by_rules: Diagnosis) -> Consultation:
        said = ModelAnswer(
            category=category,
            summary=summary,
            root_cause=summary,
            explanation="",
            confidence=85,
            citations=("E1",),
        )
        reply = ModelReply(
            answer=said, model="tiny", prompt_tokens=900, output_tokens=80, milliseconds=1200
        )
        diagnosis = replace(
            by_rules,
            category=category,
            summary=summary,
            root_cause=summary,
            decided_by=DecidedBy.MODEL,
            determined=True,
            confidence=85,
            citations=("E1",),
        )
        return Consultation(reply=reply, diagnosis=diagnosis)

    return answer


def silent(reason: str) -> Callable[..., Consultation]:
    return lambda _: Consultation(not_consulted=(reason, "because"))


def ran(folder: Path, *, decides: Decides = decide) -> Result:
    return run_case(read_case(folder), redactor=REDACTOR, decides=decides)


def consult(fake: Fake, *results: Result, at_once: int = 1) -> tuple[Consulted, ...]:
    return asyncio.run(consult_all(results, consultant=fake, redactor=REDACTOR, at_once=at_once))


def test_a_model_that_is_right_where_rules_are_not_is_told(tmp_path: Path) -> None:
    before = ran(case_of(tmp_path), decides=undecided)
    assert not before.passes
    (found,) = consult(Fake(says("REGION is not set")), before)
    assert found.after.passes
    assert found.changed
    assert found.asked
    lines = "\n".join(model_tables([found], model="tiny"))
    assert "rules undetermined 0/1 0 % 1/1 100 %" in " ".join(lines.split())
    assert "changed: crash: wrong without, right with it" in lines
    assert "tokens an answer: p50 900 read and 80 written" in lines
    assert "the model decides" in consulted_line(found)


def test_a_model_that_makes_it_worse_stands_out(tmp_path: Path) -> None:
    (found,) = consult(Fake(says("the moon")), ran(case_of(tmp_path)))
    assert found.before.passes
    assert not found.after.passes
    lines = "\n".join(model_tables([found], model="tiny"))
    assert "changed: crash: RIGHT WITHOUT, WRONG WITH IT" in lines
    assert "rules not sure" in lines


def test_a_model_that_gives_no_answer_changes_nothing_and_is_counted(tmp_path: Path) -> None:
    (found,) = consult(Fake(silent("InvalidAnswer")), ran(case_of(tmp_path)))
    assert found.after is found.before
    assert found.asked
    assert "no answer (InvalidAnswer: because)" in consulted_line(found)
    assert "without one: 1 InvalidAnswer" in "\n".join(model_tables([found], model="tiny"))


def test_who_was_not_asked_is_in_no_table_of_the_model(tmp_path: Path) -> None:
    (found,) = consult(Fake(silent("NotNeeded")), ran(case_of(tmp_path)))
    assert not found.asked
    assert list(model_tables([found], model="tiny"))[1:] == ["model tiny: asked about 0 of 1 cases"]


def test_nobody_is_asked_about_what_does_not_fail(tmp_path: Path) -> None:
    healthy = ran(case_of(tmp_path))
    assert healthy.answer is not None
    subject = replace(healthy.answer.subject, symptom=None)
    diagnosis = replace(healthy.answer.diagnosis, category=None)
    answer = replace(healthy.answer, subject=subject, diagnosis=diagnosis)
    fake = Fake(says("the moon"))
    (found,) = consult(fake, replace(healthy, answer=answer))
    assert fake.questions == []
    assert not found.asked


def test_a_question_is_asked_redacted(tmp_path: Path) -> None:
    fake = Fake(silent("InvalidAnswer"))
    question = "why does it crash with password=hunter2secret?"
    (found,) = consult(fake, ran(case_of(tmp_path, question=question)))
    assert fake.questions[0] is not None
    assert "hunter2secret" not in fake.questions[0]
    assert "somebody asked" in "\n".join(model_tables([found], model="tiny"))


def test_only_so_many_are_asked_at_once_and_each_is_told(tmp_path: Path) -> None:
    results = [ran(case_of(tmp_path, id_=f"case-{number}")) for number in range(5)]
    fake = Fake(silent("InvalidAnswer"))
    found = consult(fake, *results, at_once=2)
    assert fake.most == 2
    assert [each.before.case.id for each in found] == [each.case.id for each in results]


def test_when_time_is_over_nobody_is_asked_and_the_table_says_so(tmp_path: Path) -> None:
    fake = Fake(says("the moon"))
    found = asyncio.run(
        consult_all([ran(case_of(tmp_path))], consultant=fake, redactor=REDACTOR, seconds=0)
    )
    assert fake.questions == []
    assert found[0].after is found[0].before
    lines = "\n".join(model_tables(found, model="tiny"))
    assert "asked about 0 of 1 cases; there was no time for 1" in lines
    assert model_document(found, model="tiny")["noTimeFor"] == 1


def test_the_document_holds_what_an_answer_is_held_against(tmp_path: Path) -> None:
    every = consult(Fake(says("REGION is not set")), ran(case_of(tmp_path), decides=undecided))
    document = model_document(every, model="tiny")
    assert (document["passedWithout"], document["passedWith"]) == (0, 1)
    assert document["groups"]["rules undetermined"]["passedWith"] == 1
    (question,) = document["questions"]
    assert question["reply"]["citations"] == ["E1"]
    assert question["published"]["decidedBy"] == "Model"
    assert question["evidence"][0]["id"] == "E1"
    assert question["evidence"][0]["text"]
    assert "Pod/api-1" in question["known"]


def test_without_rules_nothing_but_the_failure_is_said(tmp_path: Path) -> None:
    result = ran(case_of(tmp_path), decides=undecided)
    assert result.confidence == 0
    assert result.fails
    assert "REGION" not in result.text
    assert "cause not determined: CrashLoopBackOff of container api" in result.text


def test_where_rules_only_repeat_words_is_a_row_of_its_own(tmp_path: Path) -> None:
    def answer(by_rules: Diagnosis) -> Consultation:
        return replace(says("REGION is not set")(by_rules), doubted=True)

    every = consult(Fake(answer), ran(case_of(tmp_path)))
    assert "rules only repeat words" in "\n".join(model_tables(every, model="tiny"))
    (question,) = model_document(every, model="tiny")["questions"]
    assert question["group"] == "rules only repeat words"
    assert every[0].before.answer is not None
    assert every[0].before.answer.diagnosis.summary in question["known"]
