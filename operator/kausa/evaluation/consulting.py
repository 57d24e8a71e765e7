"""Asks a model about cases that rules ran already, a few at once, and notes what it changed.

Which cases are asked is the consultant's choice, as in the operator: where rules are not sure, or
somebody asked a question.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kausa.evaluation.running import Result, rescored
from kausa.evidence.redaction import Redactor
from kausa.offline.consulting import Consults, consulted

__all__ = ["NO_TIME", "Consulted", "consult_all"]

NOTHING_FAILS = ("NotNeeded", "nothing fails, and nobody asked")
NO_TIME = ("NoTime", "the time that was given for questions was over")
_NOT_ASKED = frozenset({"NotNeeded", NO_TIME[0]})


@dataclass(frozen=True, slots=True, kw_only=True)
class Consulted:
    """One case without and with a model."""

    before: Result
    after: Result
    """The same as `before`, where the model was not asked or gave no answer."""
    why_not: tuple[str, str] | None = None
    """Why there is no answer: a word and a sentence. None where there is one."""
    doubted: bool = False
    """Whether rules only repeat what the program said, so that the model was asked."""
    seconds: float = 0.0
    """From the question to the checked answer, waiting for a turn included."""

    @property
    def asked(self) -> bool:
        """Whether a model was asked, whatever came of it."""
        return self.why_not is None or self.why_not[0] not in _NOT_ASKED

    @property
    def changed(self) -> bool:
        """Whether the diagnosis is another than without a model."""
        before, after = self.before, self.after
        return (before.category, before.text) != (after.category, after.text)


async def consult_all(
    results: Sequence[Result],
    *,
    consultant: Consults,
    redactor: Redactor,
    at_once: int = 1,
    seconds: float = math.inf,
    told: Callable[[Consulted], None] = lambda _: None,
) -> tuple[Consulted, ...]:
    """Ask about each, in order, at most `at_once` at the same time; `told` hears of each in turn.

    No question begins after `seconds`; what was not asked by then stays as it was.

    A defect that raises ends the evaluation: rates over what is left would be a lie.
    """
    turns = asyncio.Semaphore(at_once)
    ends = time.monotonic() + seconds

    async def one(result: Result) -> Consulted:
        async with turns:
            if time.monotonic() >= ends:
                return Consulted(before=result, after=result, why_not=NO_TIME)
            found = await _consult(result, consultant=consultant, redactor=redactor)
        told(found)
        return found

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(each)) for each in results]
    return tuple(task.result() for task in tasks)


async def _consult(result: Result, *, consultant: Consults, redactor: Redactor) -> Consulted:
    answer, question = result.answer, result.case.question
    if answer is None or not (answer.fails or question):
        return Consulted(before=result, after=result, why_not=NOTHING_FAILS)
    started = time.monotonic()
    found = await consulted(
        answer, consultant, question=redactor.text(question).value if question else None
    )
    consultation = found.consultation
    doubted = consultation is not None and consultation.doubted
    if consultation is None or consultation.reply is None:
        why = consultation.not_consulted if consultation is not None else NOTHING_FAILS
        return Consulted(
            before=result,
            after=result,
            why_not=why,
            doubted=doubted,
            seconds=time.monotonic() - started,
        )
    return Consulted(
        before=result,
        after=rescored(result, found),
        doubted=doubted,
        seconds=time.monotonic() - started,
    )
