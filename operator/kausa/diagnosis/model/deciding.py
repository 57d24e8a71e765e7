"""Who decides, the rules or the model, and what is said of both.

Where the model does, its cause comes first, then the lines of the log that it rests on, then what
rules saw: where it errs, nothing is lost. A simple model does not name the category: how a failure
shows is known, and its guesses are worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from kausa.diagnosis.finding import Diagnosis, Finding, Fix
from kausa.diagnosis.model.answer.checking import line_alone
from kausa.diagnosis.model.protocol import ModelReply
from kausa.diagnosis.rules.engine import LEAST_CONFIDENCE, LONGEST_TOGETHER
from kausa.diagnosis.rules.wording import clip, sentence
from kausa.resources.category import Category
from kausa.resources.diagnosis import DecidedBy
from kausa.resources.limits import CITATIONS

__all__ = [
    "MOST_CONFIDENT_MODEL",
    "MOST_CONFIDENT_SIMPLE",
    "decided",
    "is_simple",
    "most_confident",
]

MOST_CONFIDENT_MODEL: Final = 85
"""What the model says is never held to be surer than this: its claims are checked, not proven."""
MOST_CONFIDENT_SIMPLE: Final = 55
"""Nor what a simple one says: how sure it calls itself tells nothing (docs/evaluation.md)."""
UNDETERMINED_SUMMARY: Final = "cause not determined: "
UNDETERMINED_CAUSE: Final = "What was read does not decide the cause."
_REGISTRY: Final = "registry.ollama.ai/"
_SUMMARY, _CAUSE, _QUOTED, _LEAST_SEEN = 120, 200, 260, 40
"""Characters of its words, so that there is room for what rules saw."""


def is_simple(model: str, *, simple: str) -> bool:
    """Whether a model is the simple one, under whichever name Ollama has for it: `qwen`,
    `Qwen:latest` and `registry.ollama.ai/library/qwen` are one.
    """
    return _tagged(model) == _tagged(simple)


def _tagged(name: str) -> str:
    short = name.lower().removeprefix(_REGISTRY).removeprefix("library/")
    return short if ":" in short.rpartition("/")[2] else f"{short}:latest"


def most_confident(*, simple: bool) -> int:
    """How sure a model is held to be at most, in percent. It is the simple one that is `simple`,
    also where somebody named it: how it was chosen makes it no better.
    """
    return MOST_CONFIDENT_SIMPLE if simple else MOST_CONFIDENT_MODEL


def decided(
    reply: ModelReply,
    by_rules: Diagnosis,
    *,
    question: str | None,
    repeats: bool = False,
    simple: bool = False,
    shown: Category | None = None,
) -> Diagnosis:
    """Whoever is surer decides; the other's cause becomes an alternative.

    `repeats`: rules that only quote are no rivals. `simple`: whether the simple model answered,
    however it was chosen. `shown`: of what category the failure is as it shows itself, which is
    kept where a simple model decides; None where another does, or where nothing fails.
    """
    by_model = _by_model(reply, most=most_confident(simple=simple or shown is not None))
    if by_rules.determined and not repeats and by_rules.confidence >= by_model.confidence:
        heard = reply.answer.determined and by_model.confidence >= LEAST_CONFIDENCE
        second = _as_finding(by_model) if heard else ()
        told = _told(by_rules, by_model) if question and heard else by_rules
        return replace(told, alternatives=(*second, *by_rules.alternatives))
    if by_model.confidence < LEAST_CONFIDENCE or not reply.answer.determined:
        return by_rules
    first = _as_finding(by_rules) if by_rules.determined else ()
    return replace(
        _with_what_is_seen(by_model, by_rules, quotes=reply.answer.quotes),
        category=shown or by_model.category,
        alternatives=(*first, *by_rules.alternatives),
    )


def _with_what_is_seen(
    by_model: Diagnosis, by_rules: Diagnosis, *, quotes: Sequence[str]
) -> Diagnosis:
    """The model's cause, the lines it rests on, and what rules saw, as far as there is room."""
    summary = _whole_words(by_model.summary, characters=_SUMMARY)
    cause = _whole_words(by_model.root_cause, characters=_CAUSE)
    if quotes and by_model.root_cause == line_alone(quotes[0]):
        cause = _quotation(quotes, "")
    else:
        cause = f"{sentence(cause)} {_quotation(quotes, cause)}".strip()
    room = LONGEST_TOGETHER - len(summary) - len(cause)
    seen = _whole_words(_seen(by_rules), characters=max(room, 1))
    if room < _LEAST_SEEN or not seen:
        seen = ""
    return replace(
        by_model,
        summary=summary,
        root_cause=f"{sentence(cause)} {seen}".strip(),
        explanation=by_model.explanation or by_rules.explanation,
        citations=tuple(dict.fromkeys((*by_model.citations, *by_rules.citations)))[:CITATIONS],
        fixes=by_model.fixes or by_rules.fixes,
    )


def _quotation(quotes: Sequence[str], cause: str) -> str:
    """The lines that the model rests on, as many as are read at a glance."""
    told: list[str] = []
    room = _QUOTED
    for each in quotes:
        if each.strip('"') not in cause and len(each) <= room:
            told.append(each)
            room -= len(each)
    return f"The log says: {'; '.join(told)}." if told else ""


def _whole_words(text: str, *, characters: int) -> str:
    """As `clip`, without half of a word: half of a time or of a name is another one."""
    line = clip(text, characters=characters)
    return line if line == clip(text, characters=len(text) + 1) else f"{line.rpartition(' ')[0]} …"


def _seen(by_rules: Diagnosis) -> str:
    """What rules say without the words that they say where they do not know more."""
    summary = by_rules.summary.removeprefix(UNDETERMINED_SUMMARY)
    cause = by_rules.root_cause.removeprefix(UNDETERMINED_CAUSE).strip()
    return f"Seen: {sentence(summary)} {cause}".strip()


def _told(by_rules: Diagnosis, by_model: Diagnosis) -> Diagnosis:
    """The rules' answer, with what the model says to the question: a person waits for that."""
    if not by_model.explanation:
        return by_rules
    return replace(
        by_rules,
        explanation=f"{by_rules.explanation}\n\nThe model, to the question: "
        f"{by_model.explanation}".strip(),
        citations=tuple(dict.fromkeys((*by_rules.citations, *by_model.citations))),
    )


def _by_model(reply: ModelReply, *, most: int = MOST_CONFIDENT_MODEL) -> Diagnosis:
    answer = reply.answer
    return Diagnosis(
        category=answer.category,
        summary=answer.summary,
        root_cause=answer.root_cause,
        explanation=answer.explanation,
        confidence=min(answer.confidence, most),
        decided_by=DecidedBy.MODEL,
        citations=answer.citations,
        fixes=tuple(
            Fix(
                title=fix.title,
                rationale=fix.rationale,
                command=fix.command,
                patch=fix.patch,
                risk=fix.risk,
                citations=answer.citations,
            )
            for fix in answer.remediation
        ),
    )


def _as_finding(diagnosis: Diagnosis) -> tuple[Finding, ...]:
    finding = Finding(
        rule=f"decided-by-{diagnosis.decided_by.lower()}",
        category=diagnosis.category or Category.OTHER,
        summary=diagnosis.summary,
        root_cause=diagnosis.root_cause,
        explanation=diagnosis.explanation,
        confidence=diagnosis.confidence,
        citations=diagnosis.citations,
    )
    return (finding,)
