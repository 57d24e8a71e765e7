"""What a model is worth, told of an evaluation: both rates, what it changed, what it cost.

The document holds the evidence of every case that a model answered, so that whoever has it can hold
each citation against it without this program.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from kausa.diagnosis.finding import Diagnosis
from kausa.diagnosis.model.protocol import ModelReply
from kausa.evaluation.consulting import NO_TIME, Consulted
from kausa.evaluation.running import Result
from kausa.resources.diagnosis import DecidedBy

__all__ = ["consulted_line", "model_document", "model_tables"]

UNDETERMINED = "rules undetermined"
REPEATED = "rules only repeat words"
NOT_SURE = "rules not sure"
QUESTION = "somebody asked"
_GROUPS = (UNDETERMINED, REPEATED, NOT_SURE, QUESTION)
_SAID = 120


def consulted_line(each: Consulted) -> str:
    """One question, as it is answered."""
    head = f"asked {each.before.case.id}: {each.seconds:.1f} s"
    if each.why_not is not None:
        return f"{head}, no answer ({each.why_not[0]}: {each.why_not[1][:_SAID]})"
    reply = _reply(each)
    cost = f"{reply.prompt_tokens} + {reply.output_tokens} tokens" if reply is not None else ""
    again = ", at the second try" if reply is not None and reply.repaired else ""
    what = "the model decides" if _decides(each) else "the rules' answer stands"
    return f"{head}, {cost}{again}, {what}{_turned(each)}"


def model_tables(every: Sequence[Consulted], *, model: str) -> Iterator[str]:
    """For a terminal."""
    asked = [each for each in every if each.asked]
    yield ""
    late = sum(each.why_not == NO_TIME for each in every)
    left = f"; there was no time for {late}" if late else ""
    yield f"model {model}: asked about {len(asked)} of {len(every)} cases{left}"
    if not asked:
        return
    yield f"{'asked where':<24}  {'without':>13}  {'with model':>13}"
    for name in _GROUPS:
        group = [each for each in asked if _group(each) == name]
        if group:
            yield f"{name:<24}  {_rate(group, after=False):>13}  {_rate(group, after=True):>13}"
    yield f"{'all that were asked':<24}  {_rate(asked, after=False):>13}  " + (
        f"{_rate(asked, after=True):>13}"
    )
    yield f"{'all cases':<24}  {_rate(every, after=False):>13}  {_rate(every, after=True):>13}"
    yield ""
    decided = sum(map(_decides, asked))
    silent = Counter(each.why_not[0] for each in asked if each.why_not is not None)
    answered = len(asked) - silent.total()
    refused = ", ".join(f"{count} {reason}" for reason, count in sorted(silent.items()))
    yield (
        f"answers that held: {answered}, of which {decided} decided; "
        f"without one: {refused or 'none'}"
    )
    for each in asked:
        if each.before.passes != each.after.passes:
            yield f"changed: {each.before.case.id}{_turned(each)}"
    yield from _costs(asked)


def model_document(every: Sequence[Consulted], *, model: str) -> dict[str, Any]:
    """For a machine: every question, with all that its answer may rest on."""
    asked = [each for each in every if each.asked]
    groups: dict[str, list[Consulted]] = defaultdict(list)
    for each in asked:
        groups[_group(each)].append(each)
    return {
        "name": model,
        "asked": len(asked),
        "noTimeFor": sum(each.why_not == NO_TIME for each in every),
        "cases": len(every),
        "passedWithout": sum(each.before.passes for each in every),
        "passedWith": sum(each.after.passes for each in every),
        "groups": {
            name: {
                "cases": len(group),
                "passedWithout": sum(each.before.passes for each in group),
                "passedWith": sum(each.after.passes for each in group),
            }
            for name, group in groups.items()
        },
        "questions": [_question(each) for each in asked],
    }


def _question(each: Consulted) -> dict[str, Any]:
    before, answer = each.before, each.after.answer
    document: dict[str, Any] = {
        "id": before.case.id,
        "group": _group(each),
        "passedWithout": before.passes,
        "passedWith": each.after.passes,
        "decided": _decides(each),
        "seconds": round(each.seconds, 1),
        "confidenceOfRules": before.confidence,
    }
    if each.why_not is not None:
        document["noAnswer"] = {"reason": each.why_not[0], "message": each.why_not[1]}
    reply = _reply(each)
    if answer is None or reply is None:
        return document
    owner, symptom = answer.dossier.owner, answer.dossier.symptom
    return document | {
        "reply": _reply_document(reply),
        "published": _published(answer.diagnosis),
        "evidence": [
            {
                "id": piece.id,
                "kind": str(piece.kind),
                "source": {
                    "kind": piece.source.kind,
                    "name": piece.source.name,
                    "fieldPath": piece.source.field_path,
                },
                "text": piece.text,
            }
            for piece in answer.dossier.evidence
        ],
        "known": [
            f"{owner.kind}/{owner.name}",
            owner.namespace or "",
            symptom.reason if symptom is not None else "",
            # What rules computed from facts stands behind a model's cause.
            *_said_by_rules(before),
        ],
    }


def _reply_document(reply: ModelReply) -> dict[str, Any]:
    answer = reply.answer
    return {
        "category": str(answer.category) if answer.category is not None else None,
        "summary": answer.summary,
        "rootCause": answer.root_cause,
        "explanation": answer.explanation,
        "confidence": answer.confidence,
        "citations": list(answer.citations),
        "quotes": list(answer.quotes),
        "remediation": [
            {"title": fix.title, "rationale": fix.rationale, "command": fix.command}
            for fix in answer.remediation
        ],
        "repaired": reply.repaired,
        "dropped": list(reply.dropped),
        "suspicious": list(reply.suspicious),
        "promptTokens": reply.prompt_tokens,
        "outputTokens": reply.output_tokens,
        "milliseconds": reply.milliseconds,
        "promptVersion": reply.prompt_version,
    }


def _published(diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        "decidedBy": str(diagnosis.decided_by),
        "category": str(diagnosis.category) if diagnosis.category is not None else None,
        "summary": diagnosis.summary,
        "rootCause": diagnosis.root_cause,
        "explanation": diagnosis.explanation,
        "confidence": diagnosis.confidence,
        "citations": list(diagnosis.citations),
    }


def _costs(asked: Sequence[Consulted]) -> Iterator[str]:
    replies = [reply for each in asked if (reply := _reply(each)) is not None]
    seconds = sorted(each.seconds for each in asked)
    yield f"seconds a question: p50 {_middle(seconds):.1f}, max {seconds[-1]:.1f}"
    if replies:
        read = sorted(float(each.prompt_tokens) for each in replies)
        written = sorted(float(each.output_tokens) for each in replies)
        again = sum(each.repaired for each in replies)
        yield (
            f"tokens an answer: p50 {_middle(read):.0f} read and {_middle(written):.0f} written; "
            f"{again} of {len(replies)} at the second try"
        )


def _said_by_rules(before: Result) -> Iterator[str]:
    if before.answer is not None:
        found = before.answer.diagnosis
        yield from (found.summary, found.root_cause, found.explanation)


def _group(each: Consulted) -> str:
    answer = each.before.answer
    if answer is not None and answer.fails and not answer.diagnosis.determined:
        return UNDETERMINED
    if each.before.case.question:
        return QUESTION
    return REPEATED if each.doubted else NOT_SURE


def _reply(each: Consulted) -> ModelReply | None:
    answer = each.after.answer
    consultation = answer.consultation if answer is not None else None
    return consultation.reply if consultation is not None else None


def _decides(each: Consulted) -> bool:
    answer = each.after.answer
    return answer is not None and answer.diagnosis.decided_by is DecidedBy.MODEL


def _turned(each: Consulted) -> str:
    if each.before.passes == each.after.passes:
        return ""
    return (
        ": wrong without, right with it" if each.after.passes else ": RIGHT WITHOUT, WRONG WITH IT"
    )


def _rate(group: Sequence[Consulted], *, after: bool) -> str:
    passed = sum((each.after if after else each.before).passes for each in group)
    return f"{passed}/{len(group)} {100 * passed / len(group):3.0f} %"


def _middle(ordered: Sequence[float]) -> float:
    return ordered[len(ordered) // 2] if ordered else 0.0
