"""Where a text may hold a secret at all: the lines with a word that every finder needs.

Nearly all of a log is none of our business. One expression over the text finds the few syllables of
which every secret's surroundings have one; the finders then look at those lines alone. What has no
such syllable, only a shape, is a long word: those are looked through apart, each once.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

__all__ = ["Hints", "lower"]

_SYLLABLES: Final = (
    # Of names.
    *("pass", "pw", "psw", "secret", "token", "key", "cred", "conn", "docker", "auth", "sess"),
    *(
        "sid",
        "salt",
        "seed",
        "hmac",
        "csrf",
        "xsrf",
        "dsn",
        "jwt",
        "sig",
        "otp",
        "licens",
        "fernet",
    ),
    # Of everything else.
    *("://", "-----b", "-----e", "bearer", "basic", "cookie", "identified", "curl", "mysql"),
    *("mariadb", "login", "redis-cli", "literal", "ldap", "smbclient", "jdbc:", "sqlplus"),
    *(
        "rabbitmqctl",
        "requirep",
        "openssl",
        "kind",
        "@",
        "$",
        "{sha",
        "{ssha",
        "hook",
        "akia",
        "asia",
        "&quot;",
        "&lt;",
        "&#",
        "&amp;",
    ),
)
_MIXED: Final = str.maketrans(
    {char: " " for char in map(chr, range(128)) if not (char.isalnum() or char in "_-.~")}
)
_LONG: Final = 16
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]{0,12}m")


def _first_letters(words: Iterable[str]) -> str:
    """An expression of the words that looks at most letters once."""
    tails: dict[str, list[str]] = defaultdict(list)
    for word in words:
        tails[word[0]].append(re.escape(word[1:]))
    return "|".join(f"{re.escape(first)}(?:{'|'.join(rest)})" for first, rest in tails.items())


_ANY: Final = re.compile(_first_letters(_SYLLABLES))


def lower(text: str) -> str:
    """The text in lower case, every character at its place."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(each.lower() if len(each.lower()) == 1 else each for each in text)


class Hints:
    """The syllables of one text, and its long words; made for one text."""

    __slots__ = ("_places", "has_mixed_word", "long_words", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._places: dict[str, list[int]] = defaultdict(list)
        for found in _ANY.finditer(lower(text)):
            self._places[found[0]].append(found.start())
        plain = _COLOUR.sub(" ", text) if "\x1b" in text else text
        words = {word for word in plain.translate(_MIXED).split() if len(word) >= _LONG}
        self.long_words = "\n".join(words)
        """Every word of at least 16 letters, digits, `_`, `-`, `.` and `~`, once."""
        self.has_mixed_word = any(not (word.islower() or word.isupper()) for word in words)
        """Whether one of them mixes capitals with small letters, as base64 does."""

    def has(self, *syllables: str) -> bool:
        """Whether one of these stands anywhere."""
        return any(each in self._places for each in syllables)

    def places(self, *syllables: str) -> list[int]:
        """Where these stand, in order."""
        if len(syllables) == 1:
            return self._places.get(syllables[0], [])
        return sorted(at for each in syllables for at in self._places.get(each, ()))

    def lines(self, *syllables: str, more: int = 0, above: int = 0) -> Iterator[tuple[int, int]]:
        """The lines that hold one of these, each with so many lines around it; none twice."""
        start, end = -1, -1
        for place in self.places(*syllables):
            if place < end and not more:
                continue
            stop = self._end_of_lines(place, more + 1)
            if place < end:
                end = stop
                continue
            if start >= 0:
                yield start, end
            start, end = max(self._start_of_lines(place, above + 1), end), stop
        if start >= 0:
            yield start, end

    def _start_of_lines(self, at: int, lines: int) -> int:
        start = at + 1
        for _ in range(lines):
            start = self.text.rfind("\n", 0, max(start - 1, 0)) + 1
        return start

    def _end_of_lines(self, at: int, lines: int) -> int:
        end = at - 1
        for _ in range(lines):
            end = self.text.find("\n", end + 1)
            if end < 0:
                return len(self.text)
        return end
