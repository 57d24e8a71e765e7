"""The schema of an answer, enforced while the model writes and read again afterwards.

A server may ignore the schema, and a small model that hits its limit ends in the middle of a word,
so what arrives is decoded strictly here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec

from kausa.diagnosis.errors import ModelInvalidAnswer
from kausa.resources.category import Category

__all__ = [
    "NO_LINE",
    "UNDETERMINED",
    "WrittenAnswer",
    "WrittenFix",
    "answer_schema",
    "decode",
    "status_line",
]

UNDETERMINED: Final = "Undetermined"
"""Instead of a category: the evidence doesn't decide."""
NO_LINE: Final = "no line says it"
"""Instead of a line of a log."""
SUMMARY: Final = 200
CAUSE: Final = 400
EXPLANATION: Final = 400
TITLE: Final = 120
RATIONALE: Final = 200
COMMAND: Final = 240
FIXES: Final = 3
CITATIONS: Final = 8
LINES: Final = 3
_CATEGORIES: Final = (*(str(category.value) for category in Category), UNDETERMINED)

_Integer = Annotated[int, msgspec.Meta(ge=-(10**9), le=10**9)]
_Fraction = Annotated[float, msgspec.Meta(ge=-1e9, le=1e9)]


class WrittenFix(msgspec.Struct, rename="camel"):
    """A fix as the model wrote it."""

    title: str
    rationale: str = ""
    command: str | None = None


class WrittenAnswer(msgspec.Struct, rename="camel"):
    """An answer as the model wrote it."""

    category: str
    root_cause: str
    confidence: _Integer | _Fraction
    citations: list[str]
    summary: str = ""
    explanation: str = ""
    remediation: list[WrittenFix] = []
    decisive_lines: list[str] = []
    """The lines of a log that it chose, the most telling first."""

    @property
    def chosen(self) -> Category | None:
        """The category; None for undetermined."""
        return None if self.category == UNDETERMINED else Category(self.category)

    @property
    def percent(self) -> int:
        """Whole percent; 0.9 and 1.0 are shares of one, while 1 is one percent."""
        said = self.confidence
        if isinstance(said, float) and 0 < said <= 1:
            said *= 100
        return round(min(max(said, 0), 100))


_DECODER: Final = msgspec.json.Decoder(WrittenAnswer)


def answer_schema(
    evidence_ids: Sequence[str], lines: Sequence[str] = (), *, brief: bool = False
) -> dict[str, Any]:
    """Return the JSON schema that the model must write in.

    The order of the properties is the order of writing: first what is seen, then what it means,
    so that the category and the confidence are given after the cause was put into words.
    `lines`: of logs; those that decide are chosen before anything is said of them. `brief`: only
    the cause is asked for.
    """
    fix = _object(
        title=_string(TITLE),
        rationale=_string(RATIONALE),
        command={"anyOf": [_string(COMMAND, least=0), {"type": "null"}]},
    )
    ids = {"type": "string", "enum": list(evidence_ids)}
    line = {"type": "string", "enum": [*lines, NO_LINE]}
    chosen = {"type": "array", "items": line, "minItems": 1, "maxItems": LINES}
    words = {"summary": _string(SUMMARY), "explanation": _string(EXPLANATION)}
    fixes = {"type": "array", "items": fix, "maxItems": FIXES}
    return _object(
        **({"decisiveLines": chosen} if lines else {}),
        citations={"type": "array", "items": ids, "minItems": 1, "maxItems": CITATIONS},
        rootCause=_string(CAUSE),
        **({} if brief else words),
        category={"type": "string", "enum": list(_CATEGORIES)},
        confidence={"type": "integer", "minimum": 0, "maximum": 100},
        **({} if brief else {"remediation": fixes}),
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


def decode(content: str | bytes) -> WrittenAnswer:
    """Return what was written; raises `ModelInvalidAnswer` where it isn't in the schema."""
    try:
        answer = _DECODER.decode(content)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ModelInvalidAnswer(
            f"The model's answer is not in the schema: {status_line(str(error), 200)}"
        ) from None
    if answer.category not in _CATEGORIES:
        raise ModelInvalidAnswer(
            "The model's answer is not in the schema: its category is not on the list."
        )
    return answer


def status_line(text: str, limit: int) -> str:
    """Return the text as one bounded line of characters that a status can hold."""
    clean = text.encode("utf-8", "replace").decode()
    return " ".join("".join(c if c.isprintable() else " " for c in clean).split())[:limit].rstrip()
