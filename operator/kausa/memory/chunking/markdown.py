"""Markdown in passages that do not reach over a heading, and that know the way to their place."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from kausa.memory.chunking.tokens import ChunkSize, clip_to, count_tokens
from kausa.memory.chunking.windows import windows
from kausa.memory.records import RunbookChunk

__all__ = ["RunbookSource", "Section", "digest_of", "runbook_chunks", "sections_of"]

_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_HEADING = re.compile(r" {0,3}(?P<marks>#{1,6})(?:[ \t]+(?P<text>.*?))??(?:[ \t]+#*)?[ \t]*\r?\n?$")
_UNDERLINE = re.compile(r" {0,3}(?P<marks>=+|-+)[ \t]*\r?\n?$")
_FENCE = re.compile(r" {0,3}(?P<marks>`{3,}|~{3,})")
DEEPEST = 8
_LONG_AGO = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What stands under one heading, down to the next."""

    headings: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunbookSource:
    """What a runbook is, beside its text."""

    cluster: str
    namespace: str | None = None
    """Of the Runbook; None for those that come with Kausa or from a folder."""
    name: str
    source: str
    """Where it stands; the same source is the same runbook."""
    title: str
    changed_at: datetime | None = None
    """When it was last changed, where that is known. Another time alone is no other runbook."""
    reasons: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    message_pattern: str | None = None
    labels: tuple[str, ...] = ()
    """Each as key=value."""


def sections_of(markdown: str) -> list[Section]:
    """The text between the headings, in order; `#` in a fenced block is no heading.

    A heading without text of its own stands in the way of what is below it; without anything below
    it, it is a section without text.
    """
    found: list[Section] = []
    way: list[tuple[int, str]] = []
    body: list[str] = []

    def close(next_level: int) -> None:
        text = "".join(body)
        is_leaf = bool(way) and next_level <= way[-1][0]
        if text.strip() or is_leaf:
            found.append(Section(headings=tuple(name for _, name in way), text=text))
        body.clear()

    fence = ""
    for line in _LINES.findall(markdown):
        fence, was_fenced = _fence_after(fence, line), bool(fence)
        heading = None if was_fenced or fence else _heading(line, body)
        if heading is None:
            body.append(line)
            continue
        level, name, takes = heading
        del body[len(body) - takes :]
        close(level)
        while way and way[-1][0] >= level:
            way.pop()
        way.append((level, name))
    close(0)
    return found


def _fence_after(fence: str, line: str) -> str:
    """The marks that will close the fenced block that is open after this line; empty for none."""
    marks = _FENCE.match(line)
    if marks is None:
        return fence
    if not fence:
        # What follows the marks may name a language, but backticks there make it inline code.
        return "" if marks["marks"][0] == "`" and "`" in line[marks.end() :] else marks["marks"]
    closes = marks["marks"].startswith(fence) and not line[marks.end() :].strip()
    return "" if closes else fence


def _heading(line: str, body: list[str]) -> tuple[int, str, int] | None:
    """Level, words, and how many lines before it belong to it (one, where it is underlined)."""
    if (marks := _HEADING.match(line)) is not None:
        return len(marks["marks"]), (marks["text"] or "").strip(), 0
    under = _UNDERLINE.match(line)
    if under is None or not body or not body[-1].strip():
        return None
    above = body[-1].strip()
    # A paragraph of several lines, a list or a table is not underlined but followed by a rule.
    alone = len(body) == 1 or not body[-2].strip()
    if not alone or above[0] in "-*+>|#" or len(under["marks"]) < 2:
        return None
    return (1 if under["marks"][0] == "=" else 2), above, 1


def runbook_chunks(
    content: str, *, of: RunbookSource, size: ChunkSize | None = None
) -> tuple[RunbookChunk, ...]:
    """A whole runbook, already redacted, as the passages that are indexed for it."""
    size = size or ChunkSize()
    words = count_tokens(" ".join((*of.reasons, *of.categories)))
    found: list[tuple[tuple[str, ...], str]] = []
    for section in sections_of(content):
        headings = tuple(clip_to(each, size.tokens // 8) for each in section.headings[:DEEPEST])
        taken = count_tokens(" > ".join((of.title, *headings))) + words
        limit = max(size.tokens // 4, size.tokens - taken)
        parts = windows(
            _paragraphs(section.text), limit=limit, overlap=min(size.overlap, limit // 2)
        )
        texts = [each.text.strip() for each in parts if each.text.strip()]
        found.extend((headings, each) for each in texts or [""])
    digest = digest_of(content, replace(of, changed_at=None), size)
    return tuple(
        RunbookChunk(
            cluster=of.cluster,
            namespace=of.namespace,
            name=of.name,
            source=of.source,
            title=of.title,
            headings=headings,
            text=text,
            reasons=of.reasons,
            categories=of.categories,
            message_pattern=of.message_pattern,
            labels=of.labels,
            position=position,
            count=len(found),
            digest=digest,
            last_seen=of.changed_at or _LONG_AGO,
        )
        for position, (headings, text) in enumerate(found)
    )


def digest_of(*parts: object) -> str:
    """The same for the same runbook, cut in the same way."""
    return hashlib.blake2b(repr(parts).encode(errors="replace"), digest_size=16).hexdigest()


def _paragraphs(text: str) -> list[str]:
    """Cut after blank lines; a fenced block stays one piece."""
    pieces: list[str] = []
    current: list[str] = []
    fence, blank = "", False
    for line in _LINES.findall(text):
        if blank and line.strip() and not fence:
            pieces.append("".join(current))
            current = []
        fence = _fence_after(fence, line)
        blank = not line.strip()
        current.append(line)
    if current:
        pieces.append("".join(current))
    return pieces
