"""A question cut into words, once; everything else walks over them."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["LONGEST", "Token", "tokens_of"]

LONGEST = 4000
"""Characters of a question that are read."""
_WORD = re.compile(r"[^\s,;?!()\"'`\[\]{}<>]+")
_TAIL = ".:"
_ENDS = ",;?!.:"


@dataclass(frozen=True, slots=True)
class Token:
    """One word and where it stands."""

    text: str
    start: int
    end: int
    following: str
    """The character that follows; empty at the end."""

    @property
    def ends_clause(self) -> bool:
        """Whether the clause ends here."""
        return self.following in _ENDS and self.following != ""

    @property
    def lower(self) -> str:
        """The word in lower case."""
        return self.text.lower()


def tokens_of(text: str) -> list[Token]:
    """The words of a question, without the punctuation around them."""
    found: list[Token] = []
    for match in _WORD.finditer(text[:LONGEST]):
        word = match.group().rstrip(_TAIL)
        if not word:
            continue
        end = match.start() + len(word)
        found.append(Token(word, match.start(), end, text[end : end + 1]))
    return found
