"""An answer followed while it is written: its sentences, each held against the evidence.

Nobody sees what was not checked, so a sentence comes when its end is there and the evidence bears
it; one that falls is never shown. A cause is held back to its end where lines of a log were chosen
before it: it has to be about them as a whole. The answer is checked again when it is over, which
may take back what was told: what holds of one sentence need not hold of all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Final, Literal, TypeAlias

from kausa.diagnosis.model.answer.fixes import harmful
from kausa.diagnosis.model.answer.literals import sentences
from kausa.diagnosis.model.answer.schema import CAUSE, EXPLANATION, NO_LINE, status_line
from kausa.diagnosis.model.answer.support import Corpus
from kausa.diagnosis.model.protocol import ModelRequest

__all__ = ["BROKE_OFF", "LiveAnswer", "OnSentence", "Part"]

Part: TypeAlias = Literal["cause", "explanation", "again"]
"""`again`: what was told so far is void, it begins anew; with `BROKE_OFF` where it was not even
written to its end."""
OnSentence: TypeAlias = Callable[[Part, str], None]

BROKE_OFF: Final = "the connection broke"
_PARTS: Final[dict[str, tuple[Part, int]]] = {
    "rootCause": ("cause", CAUSE),
    "explanation": ("explanation", EXPLANATION),
}
# The key of a string, and the string as far as it is there; a quote within a string is escaped, so
# what a string says never looks like a key.
_STRING: Final = re.compile(
    r'(?<!\\)"(rootCause|explanation)"\s*:\s*"((?:[^"\\]|\\u[0-9a-fA-F]{4}|\\[^u])*)("?)'
)
_CHOSEN: Final = re.compile(r'(?<!\\)"decisiveLines"\s*:\s*\[\s*((?:"(?:[^"\\]|\\.)*"[\s,]*)*)\]')
_CHOSEN_LINE: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')
_END: Final = re.compile(r"[.!?\"\\\u3002\uff01\uff1f]")
"""What may end a sentence, or its string."""
_AFTER_AN_END: Final = 3
"""Pieces; only the next sentence's beginning shows that one has ended."""
_MOST_READ: Final = 16_384
"""Characters; an answer in the schema is shorter."""


class LiveAnswer:
    """One completion; `hear` is what a client calls with each piece."""

    def __init__(self, corpus: Corpus, *, request: ModelRequest, on_sentence: OnSentence) -> None:
        self._corpus = corpus
        self._request = request
        self._on_sentence = on_sentence
        self._text = ""
        self._done: dict[Part, int] = {}
        self._told = False
        self._due = -1

    def hear(self, piece: str | None) -> None:
        """Take a piece; None: the answer begins, once more where it broke off."""
        if piece is None:
            if self._told:
                self._on_sentence("again", "" if _is_whole(self._text) else BROKE_OFF)
            self._text, self._done, self._told = "", {}, False
            return
        if len(self._text) >= _MOST_READ:
            return
        self._text += piece
        self._due = _AFTER_AN_END if _END.search(piece) else self._due - 1
        if self._due < 0:
            # All would be read again for every word.
            return
        for found in _STRING.finditer(self._text):
            part, limit = _PARTS[found[1]]
            lines = _chosen(self._text[: found.start()]) if part == "cause" else ()
            closed = bool(found[3])
            if closed or not lines:
                self._tell(part, _decoded(found[2])[:limit], closed=closed, lines=lines)

    def _holds(self, sentence: str) -> bool:
        return self._corpus.support(sentence).holds and not harmful(sentence, self._request)

    def _tell(self, part: Part, said: str, *, closed: bool, lines: Sequence[str]) -> None:
        whole = sentences(status_line(said, len(said)))
        ended = whole if closed else whole[:-1]
        holding = [each for each in ended[self._done.get(part, 0) :] if self._holds(each)]
        self._done[part] = max(len(ended), self._done.get(part, 0))
        if lines and not any(self._corpus.speaks_of(" ".join(holding), each) for each in lines):
            return
        for each in holding:
            self._told = True
            self._on_sentence(part, each)


def _is_whole(written: str) -> bool:
    try:
        json.loads(written, strict=False)
    except ValueError:
        # Longer than what is read of it, it was no broken one either.
        return len(written) >= _MOST_READ
    return True


def _chosen(written: str) -> tuple[str, ...]:
    """The lines of a log that were chosen so far."""
    found = _CHOSEN.search(written)
    lines = (_decoded(each) for each in _CHOSEN_LINE.findall(found[1])) if found else ()
    return tuple(each for each in lines if each not in ("", NO_LINE))


def _decoded(raw: str) -> str:
    try:
        said = json.loads(f'"{raw}"', strict=False)
    except ValueError:
        return ""
    return said if isinstance(said, str) else ""
