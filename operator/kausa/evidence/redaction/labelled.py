"""Values beside their names: `name: X, value: x1`, `<password>x1</password>`, `("password", "x1")`.

The name and its value are two members of something here, and the syntax around them says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from kausa.evidence.redaction.hints import Hints
from kausa.evidence.redaction.keys import label_kind
from kausa.evidence.redaction.prefixes import PREFIX, prefix_end
from kausa.evidence.redaction.randomness import MAX_RANDOM
from kausa.evidence.redaction.scanning import NAMES, scan
from kausa.evidence.redaction.span import Span
from kausa.evidence.redaction.values import read_block, read_line, read_quoted, read_word

__all__ = ["find_labelled"]

_QUOTE: Final = r"(?:\\{0,32}[\"'`])?"
_STRING: Final = r"\\{0,32}[\"']"
_NAME: Final = r"(?P<key>[A-Za-z0-9_.\-/]++)"
_IS: Final = rf"{_QUOTE}\s{{0,4}}[:=]\s{{0,4}}"
_BLANK: Final = r"(?:\s|\\{1,32}[nrt]){0,64}"
_NAMED: Final = re.compile(
    rf"(?i)(?<![A-Za-z0-9_.\-])(?:name|key|property|header|variable){_IS}{_QUOTE}{_NAME}{_QUOTE}"
    rf"(?:{_BLANK},?{_BLANK}|\s{{0,64}},?\r?\n{PREFIX}[ \t]{{0,64}})"
    rf"{_QUOTE}value{_QUOTE}\s{{0,4}}[:=][ \t]{{0,16}}"
)
_REVERSED: Final = re.compile(
    rf"(?i)(?<![A-Za-z0-9_.\-])value{_IS}(?P<open>{_STRING})"
    rf"(?P<value>(?:(?!(?P=open))[^\r\n]){{1,256}}+)(?P=open)\s{{0,4}},?\s{{0,64}}"
    rf"{_QUOTE}(?:name|key){_IS}{_QUOTE}{_NAME}"
)
_BARE_REVERSED: Final = re.compile(
    rf"(?i)(?<![A-Za-z0-9_.\-])value:[ \t]{{1,16}}(?P<value>[^\s\"'\\,]{{1,256}}+)"
    rf"[ \t]{{0,16}}\r?\n[ \t]{{0,64}}(?:name|key):[ \t]{{1,16}}{_QUOTE}{_NAME}"
)
# `DB_PASSWORD: {value: x1}`, and its value alone below it.
_NESTED: Final = re.compile(
    rf"(?i)(?<![A-Za-z0-9_.\-/]){_NAME}{_QUOTE}\s{{0,4}}:{_BLANK}\{{?{_BLANK}"
    rf"{_QUOTE}(?:value|plaintext|default){_QUOTE}\s{{0,4}}[:=][ \t]{{0,16}}"
)
_CONTENT: Final = r"(?:<!\[CDATA\[(?P<cdata>(?:(?!\]\]>)[^\r\n])++)|(?P<value>[^<\r\n]++))"
_XML: Final = re.compile(rf"<(?P<key>[A-Za-z][\w.\-]*+)(?:[ \t][^<>\r\n]{{0,256}}+)?>{_CONTENT}")
_XML_VALUE: Final = re.compile(
    rf"(?i)<(?P<key>[A-Za-z][\w.\-]*+)[ \t][^<>\r\n]{{0,256}}?\bvalue=(?P<open>{_STRING})"
    r"(?P<value>(?:(?!(?P=open))[^<\r\n]){1,512}+)"
)
_XML_NAMED: Final = re.compile(
    rf"(?i)(?:name|key|id)={_STRING}{_NAME}{_STRING}[^<>\r\n]{{0,128}}+>{_CONTENT}"
)
_PLIST: Final = re.compile(
    rf"(?i)<(?:key|name)>{_NAME}</(?:key|name)>\s{{0,64}}<(?:string|value|data)>{_CONTENT}"
)
_LISTED: Final = re.compile(
    rf"[(\[][ \t]{{0,4}}(?P<open>{_STRING}){_NAME}(?P=open)[ \t]{{0,4}},[ \t]{{0,4}}(?={_STRING})"
)
_CLOSED: Final = re.compile(rf"{_STRING}[ \t]{{0,4}}[)\]]")
_LINES_BELOW: Final = 3


def find_labelled(hints: Hints) -> Iterator[Span]:
    """Yield the values that stand beside a sensitive name."""
    if not hints.has(*NAMES):
        return
    text = hints.text
    lines = tuple(hints.lines(*NAMES))
    if "alue" in text or "VALUE" in text:
        below = tuple(hints.lines(*NAMES, more=_LINES_BELOW))
        yield from scan(text, below, _NAMED, _read_named)
        yield from scan(text, below, _NESTED, _read_named)
        yield from scan(text, lines, _REVERSED, _read_content)
        yield from scan(text, tuple(hints.lines(*NAMES, above=1)), _BARE_REVERSED, _read_content)
        if "<" in text:
            yield from scan(text, lines, _XML_VALUE, _read_content)
    if "</" in text:
        yield from scan(text, lines, _XML, _read_content)
        yield from scan(text, lines, _XML_NAMED, _read_content)
        yield from scan(text, tuple(hints.lines(*NAMES, more=1)), _PLIST, _read_content)
    yield from scan(text, lines, _LISTED, _read_listed)


def _read_named(text: str, found: re.Match[str]) -> Span | None:
    position = found.end()
    value = read_quoted(text, position)
    if value is None and "\n" in found[0]:
        line = prefix_end(text, text.rfind("\n", found.start(), position) + 1)
        indent = len(text[line:position]) - len(text[line:position].lstrip())
        value = read_block(text, position, indent=indent) or read_line(
            text, position, escaped=False
        )
    elif value is None:
        value = read_word(text, position)
    return _labelled(text, found["key"], value)


def _read_content(text: str, found: re.Match[str]) -> Span | None:
    parts = found.groupdict()
    value = found.span("cdata" if parts.get("cdata") is not None else "value")
    return _labelled(text, found["key"], value)


def _read_listed(text: str, found: re.Match[str]) -> Span | None:
    """`("password", "x1")` is a name with its value; a longer list is one of names."""
    value = read_quoted(text, found.end())
    if value is None or not _CLOSED.match(text, value[1]):
        return None
    return _labelled(text, found["key"], value)


def _labelled(text: str, label: str, value: tuple[int, int] | None) -> Span | None:
    if value is None:
        return None
    kind = label_kind(label, text[value[0] : min(value[1], value[0] + MAX_RANDOM)])
    return None if kind is None else Span(*value, kind)
