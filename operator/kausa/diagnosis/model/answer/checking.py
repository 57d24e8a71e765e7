"""What of an answer holds: each claim is held against the evidence, and what falls is dropped.

An answer that is left without a cause or a citation is refused, except that nobody has to prove
that the evidence does not decide. What is left is as sure as its support, and loses against rules
that are surer. Where somebody tried to steer the model, it may
still say what clean evidence bears, but no command of it is shown and it overrules no rule.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from kausa.diagnosis.errors import ModelInvalidAnswer
from kausa.diagnosis.model.answer import schema
from kausa.diagnosis.model.answer.bearing import bearing_ids
from kausa.diagnosis.model.answer.categories import has_cue
from kausa.diagnosis.model.answer.fixes import checked_fixes, harmful
from kausa.diagnosis.model.answer.literals import sentences
from kausa.diagnosis.model.answer.schema import WrittenAnswer, decode, status_line
from kausa.diagnosis.model.answer.support import Corpus, Support
from kausa.diagnosis.model.prompt.lines import Line
from kausa.diagnosis.model.prompt.screening import ScreenedRequest
from kausa.diagnosis.model.protocol import ModelAnswer, ModelRequest, Ruling
from kausa.resources.category import Category
from kausa.settings.model import SURE_RULES

__all__ = ["Checked", "category_was_guessed", "check_answer", "line_alone"]

CAP_FULL, CAP_PARTLY, CAP_VAGUE, CAP_UNDETERMINED, CAP_STEERED = 85, 65, 45, 40, 60
CAP_QUOTED: Final = 60
"""Where nothing can be looked up but the line that it chose, which it did not make up."""
_COPIED_WORDS: Final = 7
_FEWEST_WORDS: Final = 3
"""Fewer name no cause, unless they are an error that the evidence shows."""
_SHOWN: Final = 80
_UNDECIDED: Final = "The evidence does not decide the cause."
_NO_WORD: Final = "the evidence has no word for it"
# What stands around evidence in the prompt; a small model at its wits' end repeats all of it.
_FENCE: Final = re.compile(r"<<[0-9a-f]{8}>>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What is left of an answer, and what was dropped."""

    answer: ModelAnswer
    dropped: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class _Claims:
    """The sentences of one answer that hold, and what they rest on."""

    corpus: Corpus
    request: ModelRequest
    strict: bool
    dropped: list[str]
    cited: Sequence[str]
    order: Sequence[str]
    """All ids that may be cited."""
    ids: set[str] = field(default_factory=set)
    literals: int = 0

    def kept(self, text: str, *, what: str, limit: int) -> str:
        """Return the sentences of the text that hold, in one line."""
        kept = []
        for sentence in sentences(_whole_words(text, limit)):
            support = self.corpus.support(sentence, strict=self.strict)
            problem = support.problem or harmful(sentence, self.request)
            if problem:
                self.dropped.append(f"{what} {status_line(sentence, _SHOWN)!r}: {problem}")
            else:
                kept.append(sentence)
                self._rest_on(support)
        return " ".join(kept)

    def _rest_on(self, support: Support) -> None:
        """Note what bears the sentence: what was cited, or else the first that does."""
        self.literals += support.literals
        self.ids |= bearing_ids(support, wanted={*self.cited, *self.ids}, order=self.order)


def check_answer(
    content: str | bytes,
    *,
    screened: ScreenedRequest,
    evidence_ids: Sequence[str],
    system: str = "",
    lines: Sequence[Line] = (),
) -> Checked:
    """Return the answer that holds; raises `ModelInvalidAnswer` where nothing does.

    `system`: the prompt's own words, which an answer may not repeat. `lines`: those of logs that it
    might choose from.
    """
    written = decode(content)
    _refuse_copies(written, system)
    dropped: list[str] = []
    cited = _known_ids(written.citations, evidence_ids, dropped)
    if not cited and written.chosen is not None:
        raise ModelInvalidAnswer(
            "The model's answer cites no evidence that exists; it was dropped as a guess."
        )
    corpus = Corpus(screened, evidence_ids=evidence_ids)
    claims = _Claims(
        corpus=corpus,
        request=screened.request,
        strict=written.chosen is not None,
        dropped=dropped,
        cited=cited,
        order=evidence_ids,
    )
    if written.chosen is None:
        answer = _undetermined(written, claims)
        return Checked(answer=answer, dropped=tuple(dropped))
    chosen = _chosen_lines(written, lines, screened, corpus, dropped)
    cause = _cause_or_lines(written, claims, chosen, reason=screened.request.reason)
    vague = claims.literals == 0 or cause == _said(chosen)
    least = CAP_QUOTED if chosen else CAP_VAGUE
    summary = claims.kept(written.summary, what="summary", limit=schema.SUMMARY)
    summary = summary or sentences(cause)[0][: schema.SUMMARY].rstrip()
    partly = bool(dropped)
    explanation = claims.kept(written.explanation, what="explanation", limit=schema.EXPLANATION)
    citations = _resting_on(claims.ids, cited, evidence_ids, dropped)
    if not citations:
        raise ModelInvalidAnswer("None of the evidence that the model cites bears its answer.")
    category = _category(written.chosen, citations, corpus, screened, dropped)
    # A category that was guessed is replaced; that makes no cause vague which the evidence bears.
    partly = partly or category is not written.chosen
    cap = least if vague else CAP_FULL
    confidence = min(written.percent, cap, CAP_PARTLY if partly else CAP_FULL)
    answer = ModelAnswer(
        category=category,
        summary=summary,
        root_cause=cause,
        explanation=explanation,
        confidence=_below_rules(
            confidence, category, screened.request.ruling, dropped, bool(screened.suspicious)
        ),
        citations=citations,
        remediation=checked_fixes(written.remediation, screened, corpus, dropped),
        quotes=tuple(map(_quoted, chosen)),
    )
    return Checked(answer=answer, dropped=tuple(dropped))


def _whole_words(text: str, limit: int) -> str:
    """The text as one line; where it is cut, not within a word."""
    line = status_line(text, limit)
    if line == status_line(text, limit + 1):
        return line
    return line if status_line(text, limit + 1)[-1:].isspace() else line.rpartition(" ")[0] or line


def _undetermined(written: WrittenAnswer, claims: _Claims) -> ModelAnswer:
    """Return that nothing decides, with what holds of its words: it decides nothing itself."""
    cause = claims.kept(written.root_cause, what="cause", limit=schema.CAUSE) or _UNDECIDED
    summary = claims.kept(written.summary, what="summary", limit=schema.SUMMARY)
    explanation = claims.kept(written.explanation, what="explanation", limit=schema.EXPLANATION)
    return ModelAnswer(
        category=None,
        summary=summary or sentences(cause)[0][: schema.SUMMARY].rstrip(),
        root_cause=cause,
        explanation=explanation,
        confidence=min(written.percent, CAP_UNDETERMINED),
        citations=_resting_on(claims.ids, claims.cited, claims.order, claims.dropped),
    )


def _chosen_lines(
    written: WrittenAnswer,
    lines: Sequence[Line],
    screened: ScreenedRequest,
    corpus: Corpus,
    dropped: list[str],
) -> tuple[Line, ...]:
    """Return the lines that were chosen; none where somebody tried to steer the choice."""
    known = {each.text: each for each in lines}
    found: list[Line] = []
    for text in dict.fromkeys(written.decisive_lines[: schema.LINES]):
        if text == schema.NO_LINE:
            continue
        problem = corpus.improper(text) if text in known else "no such line"
        if screened.suspicious:
            problem = "text that reads like an instruction was seen, so no line is quoted"
        if problem:
            dropped.append(f"line {status_line(text, _SHOWN)!r}: {problem}")
        else:
            found.append(known[text])
    return tuple(found)


def _quoted(line: Line) -> str:
    return f'"{line.text}"' if line.verbatim and '"' not in line.text else line.text


def line_alone(quote: str) -> str:
    """What is said for a cause where none holds and a line was chosen."""
    return f"The log says: {quote}."


def _said(lines: Sequence[Line]) -> str:
    return line_alone(_quoted(lines[0])) if lines else ""


def _cause_or_lines(
    written: WrittenAnswer, claims: _Claims, lines: Sequence[Line], *, reason: str
) -> str:
    """Return what holds of the cause; where nothing does, the line that it chose first."""
    claims.ids |= {each.id for each in lines}
    try:
        cause = _cause(written, claims, reason=reason)
    except ModelInvalidAnswer as error:
        if not lines:
            raise
        claims.dropped.append(f"cause: {status_line(error.detail or str(error), _SHOWN)}")
        return _said(lines)
    if lines and not any(claims.corpus.speaks_of(cause, each.text) for each in lines):
        claims.dropped.append(f"cause {status_line(cause, _SHOWN)!r}: not about the lines it chose")
        return _said(lines)
    return cause


def _cause(written: WrittenAnswer, claims: _Claims, *, reason: str) -> str:
    """Return what holds of the cause; where it is a mere word, what holds of what follows it.

    A small model often writes `Evicted` for the cause, and the cause into summary or explanation.
    """
    for text in (written.root_cause, written.summary, written.explanation):
        before = len(claims.dropped)
        if text.strip(" .").casefold() not in reason.casefold():
            claims.literals = 0
            cause = claims.kept(text, what="cause", limit=schema.CAUSE)
            # Two words are enough where they are the program's own: `KeyError: 'DSN'`.
            enough = len(cause.split()) >= _FEWEST_WORDS or claims.literals
            if enough and claims.corpus.says_why(cause):
                return cause
        if len(claims.dropped) > before:
            raise ModelInvalidAnswer(
                "The evidence does not bear the cause that the model named.",
                detail=claims.dropped[before],
            )
        if not text.strip():
            break
        claims.dropped.append(f"cause {status_line(text, _SHOWN)!r}: it says what is seen, not why")
    raise ModelInvalidAnswer('Its "rootCause" is no sentence that says what is wrong.')


def _refuse_copies(written: WrittenAnswer, system: str) -> None:
    said = f"{written.summary}\n{written.root_cause}\n{written.explanation}"
    runs = _runs(system)
    if _FENCE.search(said) or (runs and runs & _runs(said)):
        raise ModelInvalidAnswer("The model copied its prompt instead of answering.")


def _runs(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.casefold())
    return {
        tuple(words[place : place + _COPIED_WORDS])
        for place in range(len(words) - _COPIED_WORDS + 1)
    }


def _known_ids(
    cited: Sequence[str], evidence_ids: Sequence[str], dropped: list[str]
) -> tuple[str, ...]:
    known = set(evidence_ids)
    unique = list(dict.fromkeys(item.strip() for item in cited))
    dropped.extend(
        f"citation {status_line(item, _SHOWN)!r}: no such evidence"
        for item in unique
        if item not in known
    )
    return tuple(item for item in unique if item in known)[: schema.CITATIONS]


def _resting_on(
    ids: set[str], cited: Sequence[str], evidence_ids: Sequence[str], dropped: list[str]
) -> tuple[str, ...]:
    """Return what was cited and bears something, then what bears something and wasn't cited."""
    dropped.extend(f"citation '{each}': it bears nothing" for each in cited if each not in ids)
    bearing = [each for each in cited if each in ids]
    others = [each for each in evidence_ids if each in ids and each not in bearing]
    return tuple([*bearing, *others][: schema.CITATIONS])


def _category(
    chosen: Category,
    citations: Sequence[str],
    corpus: Corpus,
    screened: ScreenedRequest,
    dropped: list[str],
) -> Category:
    """Return the category that was chosen, where the evidence has a word for it."""
    ruling = screened.request.ruling
    ruled = ruling.category if ruling is not None else None
    if chosen is ruled or has_cue(chosen, corpus.text_of(citations)):
        return chosen
    if screened.suspicious:
        raise ModelInvalidAnswer(f"The evidence has no word for the category {chosen}.")
    dropped.append(f"category {chosen}: {_NO_WORD}")
    return ruled or Category.OTHER


def category_was_guessed(dropped: Sequence[str]) -> bool:
    """Whether the category of an answer is not the one that the model chose."""
    return any(each.startswith("category ") and each.endswith(_NO_WORD) for each in dropped)


def _below_rules(
    confidence: int,
    category: Category,
    ruling: Ruling | None,
    dropped: list[str],
    steered: bool,
) -> int:
    """Return the confidence, below that of rules which may not be contradicted."""
    if steered:
        confidence = min(confidence, CAP_STEERED)
    if ruling is None:
        return confidence
    if ruling.category is None:
        # Nobody can tell whether it contradicts what a resource says, which was decided before.
        sure = ruling.confidence >= SURE_RULES
        return min(confidence, ruling.confidence - 1) if sure else confidence
    if category is ruling.category:
        # Of the same mind: the rules' words stand, which were computed from facts.
        return min(confidence, ruling.confidence)
    contradicted = ruling.confidence >= SURE_RULES
    if contradicted:
        dropped.append(
            f"category {category}: rules are {ruling.confidence} % sure of {ruling.category}"
        )
    if contradicted or steered:
        return max(min(confidence, ruling.confidence - 1), 0)
    return confidence
