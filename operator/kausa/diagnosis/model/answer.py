"""The schema of an answer and what is left of one after checking.

The schema is enforced while the model writes (closed categories, only ids that exist, bounded
strings), and checked again afterwards: a server may ignore it, and a small model that hits its
limit ends in the middle of a word. Unknown ids, unsafe commands and empty fixes are dropped and
said; an answer that cites nothing which exists is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec

from kausa.diagnosis.errors import ModelInvalidAnswer
from kausa.diagnosis.model.commands import refusal
from kausa.diagnosis.model.protocol import ModelAnswer, ModelFix
from kausa.resources.category import Category

__all__ = ["answer_schema", "check_answer"]

_SUMMARY: Final = 200
_CAUSE: Final = 500
_EXPLANATION: Final = 600
_TITLE: Final = 120
_COMMAND: Final = 300
_FIXES: Final = 4
_CITATIONS: Final = 8
_SHOWN: Final = 80
# What stands around evidence in the prompt; a small model at its wits' end repeats all of it.
_FENCE: Final = re.compile(r"<<[0-9a-f]{8}>>")


_Integer = Annotated[int, msgspec.Meta(ge=-(10**9), le=10**9)]
_Fraction = Annotated[float, msgspec.Meta(ge=-1e9, le=1e9)]


class _Fix(msgspec.Struct, rename="camel"):
    title: str
    rationale: str = ""
    command: str | None = None


class _Answer(msgspec.Struct, rename="camel"):
    category: Category
    summary: str
    root_cause: str
    explanation: str
    confidence: _Integer | _Fraction
    citations: list[str]
    remediation: list[_Fix] = []


_DECODER: Final = msgspec.json.Decoder(_Answer)


def answer_schema(evidence_ids: Sequence[str]) -> dict[str, Any]:
    """Return the JSON schema that the model must write in.

    The order of the properties is the order of writing: first what is seen, then what it means,
    so that the category and the confidence are given after the cause was put into words.
    """
    fix = _object(
        title=_string(_TITLE),
        rationale=_string(_CAUSE),
        command={"anyOf": [_string(_COMMAND, least=0), {"type": "null"}]},
    )
    ids = {"type": "string", "enum": list(evidence_ids)}
    return _object(
        citations={"type": "array", "items": ids, "minItems": 1, "maxItems": _CITATIONS},
        rootCause=_string(_CAUSE),
        summary=_string(_SUMMARY),
        explanation=_string(_EXPLANATION),
        category={"type": "string", "enum": [str(category.value) for category in Category]},
        confidence={"type": "integer", "minimum": 0, "maximum": 100},
        remediation={"type": "array", "items": fix, "maxItems": _FIXES},
    )


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _string(limit: int, *, least: int = 1) -> dict[str, Any]:
    return {"type": "string", "minLength": least, "maxLength": limit}


def check_answer(
    content: str | bytes, *, evidence_ids: Sequence[str]
) -> tuple[ModelAnswer, tuple[str, ...]]:
    """Return the answer that holds and what was dropped; raises `ModelInvalidAnswer`."""
    try:
        answer = _DECODER.decode(content)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ModelInvalidAnswer(
            f"The model's answer is not in the schema: {_line(str(error), 200)}"
        ) from None
    if _FENCE.search(answer.summary + answer.root_cause + answer.explanation):
        raise ModelInvalidAnswer("The model copied its prompt instead of answering.")
    dropped: list[str] = []
    citations = _known_ids(answer.citations, evidence_ids, dropped)
    if not citations:
        raise ModelInvalidAnswer(
            "The model's answer cites no evidence that exists; it was dropped as a guess."
        )
    summary, root_cause = _line(answer.summary, _SUMMARY), _line(answer.root_cause, _CAUSE)
    if not summary or not root_cause:
        raise ModelInvalidAnswer("The model's answer has no summary or no cause.")
    checked = ModelAnswer(
        category=answer.category,
        summary=summary,
        root_cause=root_cause,
        explanation=_line(answer.explanation, _EXPLANATION),
        confidence=_percent(answer.confidence),
        citations=citations,
        remediation=_usable_fixes(answer.remediation, dropped),
    )
    return checked, tuple(dropped)


def _percent(confidence: int | float) -> int:
    """Return whole percent; 0.9 and 1.0 are shares of one, while 1 is one percent."""
    if isinstance(confidence, float) and 0 < confidence <= 1:
        confidence *= 100
    return round(min(max(confidence, 0), 100))


def _known_ids(
    cited: Sequence[str], evidence_ids: Sequence[str], dropped: list[str]
) -> tuple[str, ...]:
    known = set(evidence_ids)
    unique = list(dict.fromkeys(item.strip() for item in cited))
    dropped.extend(
        f"citation {_line(item, _SHOWN)!r}: no such evidence"
        for item in unique
        if item not in known
    )
    return tuple(item for item in unique if item in known)[:_CITATIONS]


def _usable_fixes(fixes: Sequence[_Fix], dropped: list[str]) -> tuple[ModelFix, ...]:
    usable: list[ModelFix] = []
    for fix in fixes[:_FIXES]:
        title = _line(fix.title, _TITLE)
        if not title:
            dropped.append("a fix without a title")
            continue
        command = (fix.command or "").strip() or None
        reason = refusal(command) if command else None
        if command and reason:
            dropped.append(f"command {_line(command, _SHOWN)!r}: {reason}")
            command = None
        usable.append(
            ModelFix(title=title, rationale=_line(fix.rationale, _CAUSE), command=command)
        )
    return tuple(usable)


def _line(text: str, limit: int) -> str:
    """Return the text as one bounded line of characters that a status can hold."""
    clean = text.encode("utf-8", "replace").decode()
    return " ".join("".join(c if c.isprintable() else " " for c in clean).split())[:limit].rstrip()
