r"""Secrets under another layer of writing: `%3D` for `=`, `\u0022` and `&quot;` for `"`, base64.

A line with such marks is written out a second time with the marks replaced by what they stand for,
each character with its place in the original, and looked through again. What is found there is
hidden here. Layers inside layers (`%2522`) are taken off one by one. A run of base64 that means a
text with a secret is hidden whole.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from kausa.evidence.redaction.hints import Hints
from kausa.evidence.redaction.span import Span

__all__ = ["find_layered"]

Find = Callable[[str], Iterable[Span]]

_PERCENT: Final = r"%(?P<percent>0[9AaDd]|1[Bb]|[2-7][0-9A-Fa-f])"
_BACKSLASH: Final = r"\\{1,32}(?:u00|x)(?P<escape>1[Bb]|[2-7][0-9A-Fa-f])"
_ENTITY: Final = r"&(?P<entity>quot|apos|lt|gt|amp|#\d{2,3}|#[xX][0-9A-Fa-f]{2});"
_SHELL: Final = r"(?P<shell>'(?:\\{0,32}\"'\\{0,32}\"'|\\''|(?<=\w')'|'(?=\w)))"
_MARK: Final = re.compile(f"{_PERCENT}|{_BACKSLASH}|{_ENTITY}|{_SHELL}")
_MARKS: Final = (
    ("%", re.compile(_PERCENT)),
    ("\\", re.compile(_BACKSLASH)),
    ("&", re.compile(_ENTITY)),
    ("'", re.compile(_SHELL)),
    # A form writes a blank as `+`.
    ("+", re.compile(r"\+(?<=\S\+)(?!\d\d:?\d\d)(?=\S)")),
)

_TORN: Final = re.compile(
    r'(?m)^\{"log":[ ]?"(?P<body>(?:[^"\\\r\n]|\\(?!n",)[^\r\n])*+)(?:\\n)?",'
)
_RUN: Final = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{24,}+={0,2}")
_BELOW: Final = re.compile(r"(?:\r?\n|\\{1,4}n)[ \t]{0,64}[A-Za-z0-9+/]{1,128}={0,2}(?![^\s\"'\\])")
_LONG_LINE: Final = 60
_TASTE: Final = 16


def find_layered(hints: Hints, find: Find) -> Iterator[Span]:
    """Yield what `find` sees under one layer of writing."""
    yield from _find_marked(hints.text, find)
    if '{"log":' in hints.text:
        yield from _find_torn(hints.text, find)
    if hints.has_mixed_word:
        yield from _find_base64(hints.text, find)


def _find_marked(text: str, find: Find) -> Iterator[Span]:
    for start, end in _marked_lines(text):
        line = text[start:end]
        blanks = line.replace("+", " ") if "=" in line else line
        for form in {line, blanks}:
            plain, places = _written_out(form)
            if plain != line:
                for span in find(plain):
                    yield Span(start + places[span.start], start + places[span.end], span.kind)


def _find_torn(text: str, find: Find) -> Iterator[Span]:
    """Look through the log that a container runtime wrote line by line into JSON objects."""
    parts: list[str] = []
    places: list[int] = []
    for found in _TORN.finditer(text):
        parts.append(found["body"] + "\n")
        places.extend(range(found.start("body"), found.end("body") + 1))
    if len(parts) > 1:
        for span in find("".join(parts)):
            yield Span(places[span.start], places[span.end - 1] + 1, span.kind)


def _marked_lines(text: str) -> list[tuple[int, int]]:
    lines: set[tuple[int, int]] = set()
    for char, mark in _MARKS:
        if char not in text:
            continue
        at = 0
        while found := mark.search(text, at):
            start = text.rfind("\n", 0, found.start()) + 1
            end = text.find("\n", found.end())
            at = len(text) if end < 0 else end
            lines.add((start, at))
    return sorted(lines)


def _written_out(line: str) -> tuple[str, list[int]]:
    """The line without marks, and the place of each of its characters and of its end."""
    parts: list[str] = []
    places: list[int] = []
    at = 0
    for found in _MARK.finditer(line):
        parts.append(line[at : found.start()])
        places.extend(range(at, found.start()))
        meant = _meaning(found)
        parts.append(meant)
        places.extend([found.start()] * len(meant))
        at = found.end()
    parts.append(line[at:])
    places.extend(range(at, len(line) + 1))
    return "".join(parts), places


def _meaning(found: re.Match[str]) -> str:
    if found["shell"]:
        return "'"
    code = found["percent"] or found["escape"]
    return chr(int(code, 16)) if code else html.unescape(f"&{found['entity']};")


def _find_base64(text: str, find: Find) -> Iterator[Span]:
    for found in _RUN.finditer(text):
        inner = _decoded(found[0])
        if inner is None:
            continue
        kind = next((span.kind for span in find(inner)), None)
        if kind is not None:
            yield Span(found.start(), _end_of_block(text, found), kind)


def _decoded(run: str) -> str | None:
    """The text that a run of base64 means, or None: most runs mean none."""
    if run.islower() or run.isupper() or _decoded_bytes(run[:_TASTE]) is None:
        return None
    return _decoded_bytes(run)


def _decoded_bytes(run: str) -> str | None:
    whole = run.rstrip("=").translate(_STANDARD)
    whole = whole[: len(whole) - (len(whole) % 4 == 1)]
    try:
        raw = base64.b64decode(whole + "=" * (-len(whole) % 4))
        text = raw.decode()
    except (binascii.Error, ValueError):
        return None
    return text if all(char.isprintable() or char in "\n\r\t" for char in text) else None


_STANDARD: Final = str.maketrans("-_", "+/")


def _end_of_block(text: str, found: re.Match[str]) -> int:
    """Where base64 that was broken into lines ends."""
    end = found.end()
    if end - found.start() < _LONG_LINE:
        return end
    while below := _BELOW.match(text, end):
        end = below.end()
    return end
