"""How an answer ends: what it says as a whole, and what was told of it and does not stand; pure.

A sentence is told once it holds by itself. Of the whole answer less may hold, or something else: a
cause that is about another line of the log than the one that was chosen, or that rules are sure is
another. Whoever heard the sentences is to hear that as well.

What is no answer is none: where the model decides nothing, is not sure enough of it, or says no
more than rules or the failure's own reason do (`saying_more`), what they say stands alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kausa.diagnosis.contradicting import contradicted, with_room_for
from kausa.diagnosis.matters import Matter
from kausa.diagnosis.model.answer.bearing import Bearing
from kausa.diagnosis.model.answer.checking import category_was_guessed, line_alone
from kausa.diagnosis.model.answer.literals import sentences
from kausa.diagnosis.model.protocol import ModelAnswer, ModelReply, ModelRequest
from kausa.diagnosis.rules.engine import LEAST_CONFIDENCE
from kausa.diagnosis.saying_more import (
    is_only_the_cause,
    known_by,
    rests_on_the_question,
    says_more,
)

__all__ = ["UNDETERMINED", "Concluded", "Sentence", "concluded"]

UNDETERMINED = "Undetermined"
"""Why there is no answer, though a model was asked and answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence of the model that holds. `part` is `again` where it begins anew."""

    part: str
    text: str
    citations: tuple[str, ...] = ()
    """The evidence that bears it; none where that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Concluded:
    """The end: the model's checked answer, or why there is none."""

    request: ModelRequest | None = None
    """What the model was told; its evidence is what the answer cites."""
    reply: ModelReply | None = None
    sentences: tuple[Sentence, ...] = ()
    """All that the answer says: its cause, then how that explains what is seen."""
    withdrawn: tuple[str, ...] = ()
    """Sentences that were told while it was written, and that the answer does not say."""
    contradicts: tuple[Matter, ...] = ()
    """Failures of which rules are sure of something else: their causes stand."""
    why_not: tuple[str, str] | None = None
    """A word and a sentence."""

    @property
    def citations(self) -> tuple[str, ...]:
        """All evidence that is cited, the answer's own first."""
        if self.reply is None:
            return ()
        behind = (each for sentence in self.sentences for each in sentence.citations)
        return tuple(dict.fromkeys((*self.reply.answer.citations, *behind)))

    @property
    def quotes(self) -> tuple[str, ...]:
        """The lines of a log that it rests on and does not say anyway."""
        said = " ".join(each.text for each in self.sentences)
        quotes = self.reply.answer.quotes if self.reply is not None else ()
        return tuple(each for each in quotes if each.strip('"') not in said)


def concluded(
    request: ModelRequest,
    reply: ModelReply,
    *,
    told: Sequence[Sentence],
    matters: Sequence[Matter],
    bearing: Bearing,
) -> Concluded:
    """The answer as it stands, beside what was told of it on the way.

    `matters`: the failures that the model was told of.
    """
    before = {known_by(each.text): each for each in told}
    final: dict[str, Sentence] = {}
    for part, text in _parts(reply.answer):
        key = known_by(text)
        known = before.get(key)
        if known is not None:
            final.setdefault(key, Sentence(part=part, text=known.text, citations=known.citations))
            continue
        ids = bearing.of(text, wanted=reply.answer.citations)
        final.setdefault(key, Sentence(part=part, text=text, citations=ids))
    why_not = _no_answer(request, reply.answer, tuple(final.values()), matters)
    if why_not is not None:
        withdrawn = tuple(each.text for each in before.values())
        return Concluded(request=request, withdrawn=withdrawn, why_not=why_not)
    fixes = tuple(
        each for each in reply.answer.remediation if not is_only_the_cause(each, reply.answer)
    )
    if fixes != reply.answer.remediation:
        reply = replace(reply, answer=replace(reply.answer, remediation=fixes))
    guessed = category_was_guessed(reply.dropped)
    contradicts = contradicted(matters, request, reply.answer, guessed=guessed)
    if contradicts:
        reply = replace(reply, answer=with_room_for(contradicts, reply.answer))
    return Concluded(
        request=request,
        reply=reply,
        sentences=tuple(final.values()),
        withdrawn=tuple(each.text for key, each in before.items() if key not in final),
        contradicts=contradicts,
    )


def _no_answer(
    request: ModelRequest,
    answer: ModelAnswer,
    said: Sequence[Sentence],
    matters: Sequence[Matter],
) -> tuple[str, str] | None:
    if not answer.determined or answer.confidence < LEAST_CONFIDENCE:
        return UNDETERMINED, "the model found nothing that holds"
    if answer.quotes:
        return None
    if all(rests_on_the_question(request, each.citations) for each in said):
        return UNDETERMINED, "the model found nothing that holds beside the question itself"
    if not any(says_more(each.text, matters) for each in said):
        return UNDETERMINED, "the model says no more than is known anyway"
    return None


def _parts(answer: ModelAnswer) -> list[tuple[str, str]]:
    # A line of a log is one sentence, whatever stands in it.
    line = any(answer.root_cause == line_alone(each) for each in answer.quotes)
    causes = [answer.root_cause] if line else sentences(answer.root_cause)
    return [
        *(("cause", each) for each in causes),
        *(("explanation", each) for each in sentences(answer.explanation)),
    ]
