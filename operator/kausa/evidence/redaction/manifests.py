r"""The data of Kubernetes Secrets that stand in a text as YAML or JSON.

Every value below `data` and `stringData` is hidden, whatever its key, as soon as the text holds a
`kind: Secret` at all: `data` may come before `kind`. A ConfigMap beside it loses its values too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from kausa.evidence.redaction.hints import Hints
from kausa.evidence.redaction.prefixes import PREFIX, prefix_end
from kausa.evidence.redaction.span import Span
from kausa.evidence.redaction.values import read_quoted

__all__ = ["SECRET_DATA", "find_manifests"]

SECRET_DATA: Final = "secret-data"  # noqa: S105 - the name of a kind
_QUOTE: Final = r"\\{0,32}[\"']"
_SPACE: Final = rf"(?:\s|\\{{1,32}}[nrt]|(?<=\n){PREFIX}){{0,256}}+"
_KIND: Final = re.compile(
    rf"(?:(?<![A-Za-z])|(?<=\\n))kind(?:{_QUOTE})?{_SPACE}:{_SPACE}(?:{_QUOTE})?(?:Sealed)?Secret(?:List)?(?![\w-])"
)
_JSON: Final = re.compile(rf"(?P<open>{_QUOTE})(?:data|stringData)(?P=open){_SPACE}:{_SPACE}\{{")
_MEMBER: Final = re.compile(
    rf"{_SPACE},?{_SPACE}(?P<open>{_QUOTE})(?:(?!(?P=open))[^\r\n]){{0,253}}+(?P=open){_SPACE}:{_SPACE}"
)
_YAML: Final = re.compile(
    r"(?:\A|(?P<newline>\r?\n|\\{1,32}n))(?P<prefix>"
    + PREFIX
    + r")?(?P<margin>[ \t]{0,64}(?:-[ \t]{1,8})?)(?:data|stringData):"
    r"[ \t]{0,16}(?=\r?\n|\\{1,32}n|\Z)"
)
_KEY: Final = re.compile(r"[ \t]*[\"']?[\w.\-/]{1,253}[\"']?:[ \t]*")
_ENDS: Final = re.compile(r"\\{0,32}[\"']")


def find_manifests(hints: Hints) -> Iterator[Span]:
    """Yield the values of every Secret in the text."""
    text = hints.text
    if not hints.has("kind") or "Secret" not in text or not _KIND.search(text):
        return
    for found in _JSON.finditer(text):
        yield from _members(text, found.end())
    for found in _YAML.finditer(text):
        yield from _lines(text, found)


def _members(text: str, at: int) -> Iterator[Span]:
    """The values of a flat JSON object."""
    while member := _MEMBER.match(text, at):
        value = read_quoted(text, member.end())
        if value is None:
            return
        yield Span(*value, SECRET_DATA)
        closing = _ENDS.match(text, value[1])
        at = value[1] if closing is None else closing.end()


def _lines(text: str, found: re.Match[str]) -> Iterator[Span]:
    """The values of the lines that are indented deeper than the key above them."""
    newline = found["newline"] or ("\\n" if "\n" not in text else "\n")
    margin = len(found["margin"])
    at = text.find(newline, found.end())
    first = -1
    start = end = -1
    while at >= 0:
        line = prefix_end(text, at + len(newline))
        at = text.find(newline, line)
        stop = len(text) if at < 0 else at
        body = text[line:stop]
        indent = len(body) - len(body.lstrip())
        if body.strip() and indent <= margin:
            break
        key = _KEY.match(body) if first in (-1, indent) and body.strip() else None
        if key is not None:
            if end > start >= 0:
                yield Span(start, end, SECRET_DATA)
            first = indent
            value = body[key.end() :].strip()
            block = value[:1] in ("|", ">") and len(value) <= 3
            start = stop if block else line + key.end()
        if start >= 0 and body.strip():
            end = stop
        quote = _ENDS.search(body) if newline[0] == "\\" and key is None else None
        if quote is not None:
            end = line + quote.start()
            break
    if end > start >= 0:
        yield Span(start, end, SECRET_DATA)
