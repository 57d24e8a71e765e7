"""Which of the proposed fixes may be shown, with which command, and how much it may break.

A fix proposes what isn't there yet, so its numbers may come from its own command; everything else
that it names has to exist. What runbooks and earlier failures say may be repeated in words. A title
is read by a person who may do what it says: a command that may not be shown isn't shown as words
(`kausa.diagnosis.model.answer.calls`), a fix whose reason holds one and that has no command of its
own isn't shown at all, and what a fix without a command proposes says how much it may break.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kausa.diagnosis.model.answer import schema
from kausa.diagnosis.model.answer.calls import Seen, spelled_out
from kausa.diagnosis.model.answer.enticement import enticement
from kausa.diagnosis.model.answer.literals import sentences
from kausa.diagnosis.model.answer.proposals import (
    images_in,
    mixes_alphabets,
    proposes_harm,
    risk_of,
)
from kausa.diagnosis.model.answer.schema import WrittenFix, status_line
from kausa.diagnosis.model.answer.support import Corpus
from kausa.diagnosis.model.command_objects import Verdict, judge
from kausa.diagnosis.model.mended import deeds_of
from kausa.diagnosis.model.prompt.screening import ScreenedRequest
from kausa.diagnosis.model.protocol import ModelFix, ModelRequest
from kausa.resources.diagnosis import Risk
from kausa.resources.evidence import EvidenceKind

__all__ = ["checked_fixes", "forbidden", "harmful"]

_SHOWN = 80
_RISKS = (Risk.LOW, Risk.MEDIUM, Risk.HIGH)
_ADDRESS = re.compile(r"[a-z]+://[^\s\"'`)]*[\w/]", re.IGNORECASE)
_OURS = (EvidenceKind.SPEC, EvidenceKind.CHANGE)
"""What Kausa wrote itself: whoever may write the values in it has set them already."""
_OF_PROGRAMS = (
    *(EvidenceKind.LOG, EvidenceKind.STATUS, EvidenceKind.EVENT),
    *(EvidenceKind.SPEC, EvidenceKind.CHANGE),
)
"""What a program or a container is seen to run or to print."""


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
    request = screened.request
    risk = max(risk_of(title, names=_names(request)), verdict.risk, key=_RISKS.index)
    support = corpus.support(title, also=also)
    problem = support.problem or forbidden(title, request, proposes=True)
    if not problem and risk is not Risk.LOW:
        problem = _unknown_value(title, request, _settable(request, also, _OURS))
    if problem:
        dropped.append(f"fix {status_line(title, _SHOWN)!r}: {problem}")
        return None
    said = sentences(status_line(fix.rationale, schema.RATIONALE))
    spelled = next((why for each in said if (why := forbidden(each, request))), None)
    if spelled is not None and verdict.command is None:
        dropped.append(f"fix {status_line(title, _SHOWN)!r}: of its reason, {spelled}")
        return None
    told = _settable(request, also, (*_OURS, EvidenceKind.STATUS))
    rationale = [
        sentence
        for sentence in said
        if corpus.support(sentence, also=also).holds
        and not forbidden(sentence, request)
        and not _unknown_value(sentence, request, told)
        and (risk is Risk.HIGH or not proposes_harm(sentence))
    ]
    return ModelFix(
        title=title,
        rationale=" ".join(rationale),
        command=verdict.command,
        risk=risk,
        patch=verdict.patch,
    )


def _names(request: ModelRequest) -> tuple[str, ...]:
    """What a title may begin with, whatever the word means."""
    return (
        request.target,
        request.namespace,
        *(f"{each.kind}/{each.name}" for each in request.objects),
        *(name for each in request.objects for name in each.containers),
    )


def _settable(request: ModelRequest, also: str, kinds: Sequence[str]) -> str:
    """The text whose images and amounts a fix may name as what to set."""
    shown = (each.text for each in request.evidence if each.kind in kinds)
    return "\n".join((also, *request.images, *shown))


def forbidden(text: str, request: ModelRequest, *, proposes: bool = False) -> str:
    """Why nobody may read it, wherever it stands: a command that may not be shown, in words or
    letters that only look like others; empty where it may be read.

    `proposes`: whether it is a proposal as a whole, as a title is.
    """
    if mixes_alphabets(text):
        return "it mixes alphabets within a word"
    command = _spelled_out(text, request, proposes=proposes)
    if command:
        return f"it spells out {status_line(command, _SHOWN)!r}, which may not be shown"
    return ""


def _spelled_out(text: str, request: ModelRequest, *, proposes: bool = False) -> str:
    return spelled_out(
        text,
        seen=_seen(request),
        approves=lambda command: judge(command, request).command is not None,
        proposes=proposes,
    )


def _seen(request: ModelRequest) -> Seen:
    """What programs ran or printed, as far as it was read, and the names of what exists."""
    names = {part for name in _names(request) for part in (name, *name.split("/")) if part}
    return Seen(
        texts=tuple(each.text for each in request.evidence if each.kind in _OF_PROGRAMS),
        names=frozenset(each.casefold() for each in names),
    )


def harmful(sentence: str, request: ModelRequest) -> str:
    """Why nobody may read it in a cause or an explanation: what may not be read anywhere, what asks
    for something destructive, and what sends its reader to an address that only a log names; empty
    where it may be read.
    """
    problem = forbidden(sentence, request)
    if not problem and proposes_harm(sentence):
        problem = "it asks for something destructive"
    return problem or enticement(sentence, request.evidence)


def _unknown_value(text: str, request: ModelRequest, known: str) -> str:
    """Why words may not be shown that set what nobody knows to work."""
    containers = [name for each in request.objects for name in each.containers]
    done = deeds_of(text, target=request.target, containers=containers)
    wanted = (
        *images_in(text),
        *_ADDRESS.findall(text),
        *(deed.value for deed in done if deed.value),
    )
    unknown = next((each for each in wanted if not _holds(each, known)), None)
    return f"nothing shows that {unknown} works" if unknown is not None else ""


def _holds(value: str, text: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(value)}(?!\w|\.\d)", text) is not None


def _command(command: str | None, screened: ScreenedRequest, dropped: list[str]) -> Verdict:
    text = (command or "").strip()
    if not text:
        return Verdict()
    verdict = judge(text, screened.request)
    if verdict.problem:
        dropped.append(f"command {status_line(text, _SHOWN)!r}: {verdict.problem}")
    return verdict
