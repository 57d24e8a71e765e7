"""Troubles folded by what they say: one template for all that differ in numbers, ids and times.

The set is bounded. What is given up first is a warning, then what was last seen longest ago; the
first templates stay, because troubles begin with their cause.
"""

from __future__ import annotations

import re
from typing import Final

from kausa.detection.fingerprint import normalise
from kausa.evidence.logs.causes import account_of
from kausa.evidence.logs.entry import Entry, Found, Severity
from kausa.evidence.logs.headers import read_header
from kausa.evidence.logs.prefixes import bare

__all__ = ["Marks", "Template", "Templates"]

MOST_TEMPLATES: Final = 256
_NEVER_FORGOTTEN: Final = 48
_MOST_MARKS: Final = 4096
_VARIETY: Final = 512
"""So many kinds of entries are looked at closely."""
_START_WORDS: Final = 3
_FORGOTTEN: Final = 64
_SAMPLE_BYTES: Final = 8 * 1024
_SPECIFIC: Final = re.compile(
    r"\bE[A-Z]{3,12}\b|\b[\w.-]{2,64}:\d{2,5}\b|\berrno\b|['\"`][\w./:@-]{2,80}['\"`]"
    r"|(?:^|\s)/[\w.-]{1,64}/[\w./-]{1,128}|\b\d{1,3}(?:\.\d{1,3}){3}\b"
    r"|\b(?:Connection refused|command not found|No such file|[Pp]ermission denied|unrecognized)"
)


Marks = tuple[Severity, bytes, bytes]
"""How bad an entry is, and what its first and its telling line have in common with others."""


class Template:
    """All entries that say the same."""

    __slots__ = (
        "count",
        "first",
        "first_line",
        "last_head",
        "last_line",
        "severity",
        "specific",
        "strength",
    )

    def __init__(self, entry: Entry, *, specific: bool) -> None:
        self.first = entry
        self.severity = entry.severity
        self.strength = entry.strength
        self.specific = specific
        """Whether it names what it is about: a host, a file, an error number."""
        self.count = 0
        self.first_line = self.last_line = entry.line
        self.last_head = b""

    def seen(self, *, line: int, head: bytes) -> None:
        """Count one more, that stands in this line and begins like this."""
        self.count += 1
        self.last_line = line
        self.last_head = head

    def found(self, entry: Entry | None = None) -> Found:
        """What is known of them, with the first of them or another as the example."""
        first = self.first.lines[0] if self.first.lines else b""
        return Found(
            entry=entry or self.first,
            count=self.count,
            first_line=self.first_line,
            last_line=self.last_line,
            first_time=read_header(first.decode(errors="replace")).time,
            last_time=read_header(bare(self.last_head).line.decode(errors="replace")).time,
        )


class Templates:
    """The templates of one log."""

    __slots__ = ("_by_marks", "_by_start", "_by_words", "_learned", "generation")

    def __init__(self) -> None:
        self._by_marks: dict[Marks, Template] = {}
        self._by_start: dict[Marks, Template] = {}
        """Where hardly two entries are alike: by their first words and their length."""
        self._learned = 0
        self.generation = 0
        """Changes whenever templates are given up."""
        self._by_words: dict[tuple[Severity, str], Template] = {}

    def all(self) -> list[Template]:
        """Every template, in the order in which they came up."""
        return list(self._by_words.values())

    def known(self, marks: Marks | None) -> Template | None:
        """The template of entries with these marks, where one was seen before."""
        if marks is None:
            return None
        found = self._by_marks.get(marks)
        if found is None and self._learned > _VARIETY:
            found = self._by_start.get(_start_of(marks))
        return found

    def learn(self, marks: Marks | None, entry: Entry) -> Template:
        """The template of an entry whose marks are new."""
        self._learned += 1
        account = account_of(entry.text)
        said = f"{account.message}\n{account.cause}" if account.cause else account.message
        words = (entry.severity, normalise(said))
        template = self._by_words.get(words)
        if template is None:
            if len(self._by_words) >= MOST_TEMPLATES:
                self._forget()
            specific = _SPECIFIC.search(said[:2048]) is not None
            template = Template(_sample(entry), specific=specific)
            self._by_words[words] = template
        if len(self._by_marks) >= _MOST_MARKS:
            self._by_marks.clear()
            self._by_start.clear()
        if marks is not None:
            self._by_marks[marks] = template
            self._by_start[_start_of(marks)] = template
        return template

    def _forget(self) -> None:
        later = list(self._by_words.items())[_NEVER_FORGOTTEN:]
        later.sort(key=lambda each: (each[1].severity, each[1].last_line))
        for words, _ in later[:_FORGOTTEN]:
            del self._by_words[words]
        self._by_marks.clear()
        self._by_start.clear()
        self.generation += 1


def _start_of(marks: Marks) -> Marks:
    severity, first, telling = marks
    return severity, _words(first), _words(telling)


def _words(mark: bytes) -> bytes:
    words = mark.split()
    return b" ".join((*words[:_START_WORDS], b"%d" % len(words)))


def _sample(entry: Entry) -> Entry:
    """The entry, cut at a line where it is too long to keep one for every template."""
    kept: list[bytes] = []
    size = 0
    for line in entry.lines:
        size += len(line) + 1
        if kept and size > _SAMPLE_BYTES:
            break
        kept.append(line)
    if len(kept) == len(entry.lines):
        return entry
    return Entry(
        lines=tuple(kept),
        line=entry.line,
        severity=entry.severity,
        strength=entry.strength,
        left_out=entry.left_out + len(entry.lines) - len(kept),
    )
