"""Which of the proposed fixes may be shown, and with which command.

A fix proposes what isn't there yet, so its numbers may come from its own command; everything else
that it names has to exist. What runbooks and earlier failures say may be repeated in words.
"""

from __future__ import annotations

from collections.abc import Sequence

from kausa.diagnosis.model.answer import schema
from kausa.diagnosis.model.answer.literals import sentences
from kausa.diagnosis.model.answer.schema import WrittenFix, status_line
from kausa.diagnosis.model.answer.support import Corpus
from kausa.diagnosis.model.command_objects import Verdict, judge
from kausa.diagnosis.model.prompt.screening import ScreenedRequest
from kausa.diagnosis.model.protocol import ModelFix

__all__ = ["checked_fixes"]

_SHOWN = 80


def checked_fixes(
    fixes: Sequence[WrittenFix], screened: ScreenedRequest, corpus: Corpus, dropped: list[str]
) -> tuple[ModelFix, ...]:
    """Return the fixes that hold; where somebody tried to steer the model, none."""
    if screened.suspicious and fixes:
        dropped.append(
            f"{len(fixes)} fix(es): text that reads like an instruction was seen, so none is shown"
        )
        return ()
    request = screened.request
    remembered = " ".join(
        [
            *(f"{each.title} {each.text}" for each in request.runbooks),
            *(each.resolution for each in request.incidents),
            *(f"{each.kind}/{each.name} {' '.join(each.containers)}" for each in request.objects),
        ]
    )
    usable = (_checked(each, screened, corpus, remembered, dropped) for each in fixes)
    return tuple(each for each in usable if each is not None)[: schema.FIXES]


def _checked(
    fix: WrittenFix,
    screened: ScreenedRequest,
    corpus: Corpus,
    remembered: str,
    dropped: list[str],
) -> ModelFix | None:
    title = status_line(fix.title, schema.TITLE)
    if not title:
        dropped.append("a fix without a title")
        return None
    verdict = _command(fix.command, screened, dropped)
    if verdict.spoils:
        return None
    also = f"{remembered} {verdict.command or ''}"
    support = corpus.support(title, also=also)
    if not support.holds:
        dropped.append(f"fix {status_line(title, _SHOWN)!r}: {support.problem}")
        return None
    rationale = [
        sentence
        for sentence in sentences(status_line(fix.rationale, schema.RATIONALE))
        if corpus.support(sentence, also=also).holds
    ]
    return ModelFix(
        title=title,
        rationale=" ".join(rationale),
        command=verdict.command,
        risk=verdict.risk,
        patch=verdict.patch,
    )


def _command(command: str | None, screened: ScreenedRequest, dropped: list[str]) -> Verdict:
    text = (command or "").strip()
    if not text:
        return Verdict()
    verdict = judge(text, screened.request)
    if verdict.problem:
        dropped.append(f"command {status_line(text, _SHOWN)!r}: {verdict.problem}")
    return verdict
