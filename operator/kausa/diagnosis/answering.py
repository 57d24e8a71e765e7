"""A question answered from evidence and memory, step by step, so that nobody waits for facts.

First what is known of the failures that the question is about, then what memory holds, then what a
model makes of both, sentence by sentence; each sentence was held against the evidence before. When
it is over the whole answer was checked again, and what was told of it and does not stand is named.
Where there is no model, or no answer of it holds, what rules and memory say is the answer, and that
is said. The same service is for a terminal and for an API.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from typing import Final, Protocol, TypeAlias

from kausa.diagnosis.concluding import Concluded, Sentence, concluded
from kausa.diagnosis.consultation import NO_MODEL
from kausa.diagnosis.errors import ModelError
from kausa.diagnosis.matters import MOST_MATTERS, Matter, one_request
from kausa.diagnosis.meant import Known, Matters, chosen
from kausa.diagnosis.model.answer.bearing import Bearing
from kausa.diagnosis.model.asking import OnSentence
from kausa.diagnosis.model.protocol import ModelReply, ModelRequest
from kausa.diagnosis.saying_more import known_by, rests_on_the_question, says_more
from kausa.memory.errors import MemoryError_
from kausa.memory.records import FailureRecord
from kausa.recall.ask import Asked
from kausa.recall.query import QueryAnalysis, analyse
from kausa.recall.results import Scored
from kausa.telemetry.clock import utc_now

__all__ = [
    "Answering",
    "AsksModel",
    "Concluded",
    "FindsMatters",
    "Known",
    "Matters",
    "Remembered",
    "Remembers",
    "Sentence",
    "Step",
    "chosen",
]

NOTHING_KNOWN: Final = ("NotNeeded", "nothing is known that an answer could rest on")
MOST_REMEMBERED: Final = 2
"""Of each kind that a model is told of."""


class FindsMatters(Protocol):
    """Where failures are known from: resources, or files."""

    async def find(self, analysis: QueryAnalysis, *, namespaces: tuple[str, ...]) -> Matters:
        """Return what may be meant; raises `KausaError` where nothing can be read."""
        ...


class Remembers(Protocol):
    """A memory that can be asked in words."""

    async def ask(self, question: str, *, namespaces: tuple[str, ...]) -> Asked:
        """Raises `MemoryError_`."""
        ...


class AsksModel(Protocol):
    """A model, with its deadline and budget; `on_sentence` hears what holds as it is written."""

    async def __call__(self, request: ModelRequest, *, on_sentence: OnSentence) -> ModelReply:
        """Raises `ModelError`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What memory holds about it."""

    failures: tuple[Scored, ...] = ()
    runbooks: tuple[Scored, ...] = ()
    notes: tuple[str, ...] = ()


Step: TypeAlias = Known | Remembered | Sentence | Concluded


class Answering:
    """Answers questions; keeps nothing between two."""

    def __init__(
        self,
        *,
        source: FindsMatters,
        memory: Remembers | None,
        model: AsksModel | None,
    ) -> None:
        self._source = source
        self._memory = memory
        self._model = model

    async def answer(
        self, question: str, *, namespaces: tuple[str, ...] = ()
    ) -> AsyncGenerator[Step, None]:
        """Yield the steps, `Concluded` last. `question` must be redacted.

        Leaving the iterator (`aclosing`) ends the model's work.

        Raises:
            KausaError: the source cannot be read.
        """
        analysis = analyse(question, now=utc_now())
        seen = await self._source.find(analysis, namespaces=namespaces)
        known = chosen(seen, analysis)
        yield known
        remembered = await self._recalled(question, namespaces=namespaces)
        if remembered is not None and known.missing:
            remembered = _only_of(remembered, known.missing)
        if remembered is not None:
            yield remembered
        found = _told(remembered)
        if self._model is None:
            yield Concluded(why_not=NO_MODEL)
            return
        if not known.matters and not found:
            yield Concluded(why_not=NOTHING_KNOWN)
            return
        request = one_request(known.matters, found, question=question)
        told = known.matters[:MOST_MATTERS]
        async with aclosing(self._asked(self._model, request, told)) as steps:
            async for step in steps:
                yield step

    async def _recalled(self, question: str, *, namespaces: tuple[str, ...]) -> Remembered | None:
        if self._memory is None:
            return None
        try:
            asked = await self._memory.ask(question, namespaces=namespaces)
        except MemoryError_ as error:
            return Remembered(notes=(f"The memory was not asked: {error}",))
        return Remembered(failures=asked.failures, runbooks=asked.runbooks, notes=asked.notes)

    async def _asked(
        self, model: AsksModel, request: ModelRequest, matters: Sequence[Matter]
    ) -> AsyncGenerator[Step, None]:
        heard: asyncio.Queue[Sentence | None] = asyncio.Queue()
        said: dict[str, Sentence] = {}

        async def ask() -> ModelReply:
            try:
                return await model(
                    request,
                    on_sentence=lambda part, text: heard.put_nowait(Sentence(part=part, text=text)),
                )
            finally:
                heard.put_nowait(None)

        asking = asyncio.create_task(ask())
        try:
            # It reads all evidence, which takes a while: the model's.
            bearing = await asyncio.to_thread(Bearing, request)
            while (sentence := await heard.get()) is not None:
                if sentence.part == "again":
                    said.clear()
                elif known_by(sentence.text) in said or not says_more(sentence.text, matters):
                    # If it belongs to an answer that says more, it comes with its end.
                    continue
                else:
                    sentence = replace(sentence, citations=bearing.of(sentence.text))
                    if rests_on_the_question(request, sentence.citations):
                        continue
                    said[known_by(sentence.text)] = sentence
                yield sentence
            told = tuple(said.values())
            try:
                yield concluded(request, await asking, told=told, matters=matters, bearing=bearing)
            except ModelError as error:
                yield Concluded(
                    request=request,
                    withdrawn=tuple(each.text for each in told),
                    why_not=(error.reason, str(error)),
                )
        finally:
            asking.cancel()
            with suppress(asyncio.CancelledError, ModelError):
                await asking


def _only_of(found: Remembered, names: tuple[str, ...]) -> Remembered:
    """What memory holds of these names: what failed elsewhere is no answer about them."""
    failures = tuple(
        each
        for each in found.failures
        if isinstance(each.record, FailureRecord) and each.record.owner_name in names
    )
    return Remembered(failures=failures, notes=found.notes)


def _told(remembered: Remembered | None) -> Sequence[Scored]:
    if remembered is None:
        return ()
    return (*remembered.failures[:MOST_REMEMBERED], *remembered.runbooks[:MOST_REMEMBERED])
