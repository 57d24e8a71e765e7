r"""Secrets that only their name gives away: `password=...` in every syntax that logs and specs use.

First the names are found, each with the separator behind it; only behind a sensitive name is a
value read. The value of a harmless name is not consumed, so a pair inside it (`msg="password=x"`)
is found as well. Names inside a value that is already hidden are skipped, which keeps the scan
linear whatever the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from kausa.evidence.redaction.keys import label_kind, sensitive_kind, suspicious_kind
from kausa.evidence.redaction.values import (
    BLANK,
    is_flag,
    is_not_secret,
    looks_like_value,
    read_block,
    read_line,
    read_phrase,
    read_quoted,
    read_word,
    starts_prose,
    starts_sentence,
)

__all__ = ["Span", "find_pairs", "may_name_secret", "scan", "spaced_kind"]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text that holds a secret of one kind."""

    start: int
    end: int
    kind: str


# Every word that makes a name sensitive contains one of these.
_HINTS: Final = ("pass", "pw", "secret", "token", "key", "cred", "conn", "docker")
# And every suspicious one, one of these.
_MORE_HINTS: Final = ("auth", "sess", "sid")
_COLOUR: Final = r"(?:\x1b\[[0-9;]{0,12}m)?"
_QUOTE: Final = r"\\{0,8}[\"'`]"
_NAME: Final = r"(?P<key>[A-Za-z0-9_.\-/]++)"

_PAIR: Final = re.compile(
    rf"(?<![A-Za-z0-9_.\-/])(?<!\[redacted:){_NAME}"
    rf"(?:{_QUOTE})?\]?(?P<gap>{BLANK}{{0,16}}){_COLOUR}"
    rf"(?P<sep>=>|->|\u2192|(?<=-)>|:=|==?|:){_COLOUR}(?P<space>{BLANK}{{0,64}})"
)
_FLAG: Final = re.compile(
    r"(?<![A-Za-z0-9_.\-/])(?P<key>--?[A-Za-z][A-Za-z0-9_.\-]*+)"
    rf"(?:{_QUOTE}[ \t]{{0,16}},\s{{0,64}}"
    r"|[ \t]{0,16}\r?\n[ \t]{0,64}-[ \t]{1,16}|[ \t]{1,16})"
)
_NAMED: Final = re.compile(
    rf"(?i)(?<![A-Za-z0-9_.\-])name(?:{_QUOTE})?\s{{0,4}}[:=]\s{{0,4}}(?:{_QUOTE})?{_NAME}"
    rf"(?:{_QUOTE})?\s{{0,64}},?\s{{0,64}}(?:{_QUOTE})?value(?:{_QUOTE})?\s{{0,4}}[:=][ \t]{{0,16}}"
)
_XML: Final = re.compile(r"<(?P<key>[A-Za-z][\w.\-]*+)>(?P<value>[^<\r\n]++)</")
_VERSION: Final = re.compile(r"v?\d+(?:\.\d+)+(?:[-+][\w.-]*)?|latest|stable|main|edge")
_STRUCTURE: Final = re.compile(
    r"[{\[][ \t]{0,16}(?:\\{0,8}[\"'`]|[{\[\]}]|[A-Za-z_][\w.-]{0,64}:|\r?\n|\Z)"
    r"|&[A-Z][\w.]{0,64}\{"
)
_ASSIGNED: Final = re.compile(r"[A-Za-z_][\w.-]{0,64}=(?!=|\Z)")
_BELOW: Final = re.compile(r"[ \t]{0,64}(?:\r?\n|\\{1,8}n)(?:\s|\\{1,8}[nt]){0,64}")
_COUNT: Final = re.compile(r"[\d.,:/%-]*(?:ms|us|ns|s|m|h)?")
_DECIDING: Final = 256
_GLUED: Final = re.compile(r"\d{1,3}m")
_WORD_BEFORE: Final = re.compile(r"([A-Za-z]++)[ ]\Z")
_OBJECT_NAME: Final = re.compile(r"[a-z0-9](?:[-a-z0-9.]{0,252}[a-z0-9])?(/[a-z0-9][-a-z0-9.]*)?")
_ABOUT_OBJECT: Final = re.compile(
    r"\\{0,8}[\"'`]?,? (?:not found|is forbidden|does not|already|not )"
)


def may_name_secret(lowered: str) -> bool:
    """Whether any sensitive name can stand in this lower-case text."""
    return any(hint in lowered for hint in _HINTS)


def find_pairs(text: str) -> Iterator[Span]:
    """Yield the values that follow a sensitive name."""
    lowered = text.lower()
    if not may_name_secret(lowered) and not any(hint in lowered for hint in _MORE_HINTS):
        return
    yield from scan(text, _PAIR, _read_pair)
    if "-" in text:
        yield from scan(text, _FLAG, _read_flag)
    if "name" in lowered and "value" in lowered:
        yield from scan(text, _NAMED, _read_named)
    if "</" in text:
        yield from scan(text, _XML, _read_xml)


def scan(
    text: str, names: re.Pattern[str], read: Callable[[str, re.Match[str]], Span | None]
) -> Iterator[Span]:
    """Yield what is read behind the names, but for names inside a value that is already hidden."""
    hidden_until = 0
    for found in names.finditer(text):
        if found.start() < hidden_until:
            continue
        span = read(text, found)
        if span is not None and not is_not_secret(text[span.start : span.end]):
            hidden_until = span.end
            yield span


def _read_pair(text: str, found: re.Match[str]) -> Span | None:
    start, key = _unglued(text, found.start("key"), found["key"])
    colon = found["sep"] == ":"
    if colon and "/" in key and (not found["space"] or key[0] in "/." or key.count("/") > 1):
        return None  # A path in an error message, or an image with its tag.
    kind = sensitive_kind(key) or spaced_kind(text, start, key)
    if kind is None and key != found["key"]:
        kind = sensitive_kind(found["key"])
    if kind is None:
        return _read_suspicious(text, found, key)
    position = found.end()
    quoted = read_quoted(text, position)
    if quoted is not None:
        value: tuple[int, int] | None = quoted
    elif colon:
        value = _read_after_colon(text, found, key_start=start, kind=kind)
    elif found["sep"] in ("->", "\u2192", ">"):
        value = None if starts_prose(text, position) else read_word(text, position)
    else:
        value = read_word(text, position)
    if value is None or _is_harmless(text, key=key, value=value, tight=not found["space"]):
        return None
    # `password= user=app`: the value is empty. `node->token->kind`: this is code.
    assigned = found["sep"] in ("=", "==") and found["space"] and not found["gap"]
    member = found["sep"] in ("->", ">") and not found["space"]
    if (assigned or member) and quoted is None:
        word = text[value[0] : value[1]]
        if not looks_like_value(word) or _ASSIGNED.match(word):
            return None
    return Span(*value, kind)


def _read_suspicious(text: str, found: re.Match[str], key: str) -> Span | None:
    kind = suspicious_kind(key)
    if kind is None:
        return None
    position = found.end()
    value = read_quoted(text, position)
    closed = value is not None
    # A refused value is read again from the next name in it: only its beginning decides.
    near = text[position : position + _DECIDING]
    if value is None and not _STRUCTURE.match(near):
        value = read_word(near, 0)
        value = value and (position + value[0], position + value[1])
    if value is None:
        return None
    word = text[value[0] : min(value[1], value[0] + _DECIDING)]
    # `pass=swordfish` is a password; `pass: all` is a result.
    given = closed or (found["sep"] != ":" and (not found["space"] or bool(found["gap"])))
    if kind == "password" and given:
        accepted = _COUNT.fullmatch(word) is None
    else:
        accepted = looks_like_value(word) and _ASSIGNED.match(word) is None
    if not accepted:
        return None
    return Span(*((None if closed else read_word(text, position)) or value), kind)


def _read_after_colon(
    text: str, found: re.Match[str], *, key_start: int, kind: str
) -> tuple[int, int] | None:
    position = found.end()
    closed = text[found.end("key") : found.end("key") + 1] in ('"', "'", "`", "\\")
    if closed and (below := _BELOW.match(text, position)):
        quoted = read_quoted(text, below.end())
        if quoted is not None:
            return quoted
    prefix = text[max(0, key_start - 64) : key_start]
    margin = prefix.rstrip(" \t-\"'")
    escaped = margin.endswith(("\\n", "\\r"))
    at_line_start = escaped or margin.endswith("\n") or (not margin and key_start <= 64)
    if at_line_start:
        indent = len(prefix) - len(margin) - closed
        block = read_block(text, position, indent=indent)
        if block is not None:
            return block
    if _STRUCTURE.match(text, position):
        return None  # Names inside it are looked at on their own.
    if (starts_sentence if kind == "password" else starts_prose)(text, position):
        return None
    if at_line_start and not closed:
        return read_line(text, position, escaped=escaped)
    if kind == "password" and found["space"] and not closed:
        return read_phrase(text, position)
    return read_word(text, position)


def _read_flag(text: str, found: re.Match[str]) -> Span | None:
    kind = sensitive_kind(found["key"])
    suspicion = None if kind else suspicious_kind(found["key"])
    position = found.end()
    if not (kind or suspicion) or is_flag(text, position):
        return None
    value = read_quoted(text, position)
    if value is None and not starts_prose(text, position):
        value = read_word(text, position)
    if value is None:
        return None
    if kind is None and not looks_like_value(text[value[0] : value[1]]):
        return None
    return Span(*value, kind or suspicion or "")


def _read_named(text: str, found: re.Match[str]) -> Span | None:
    kind = label_kind(found["key"])
    if kind is None:
        return None
    position = found.end()
    value = read_quoted(text, position)
    if value is None and "\n" in found[0]:
        line = text.rfind("\n", found.start(), position) + 1
        indent = len(text[line:position]) - len(text[line:position].lstrip())
        value = read_block(text, position, indent=indent) or read_line(
            text, position, escaped=False
        )
    elif value is None:
        value = read_word(text, position)
    return None if value is None else Span(*value, kind)


def _read_xml(text: str, found: re.Match[str]) -> Span | None:
    kind = sensitive_kind(found["key"])
    return None if kind is None else Span(*found.span("value"), kind)


def _unglued(text: str, start: int, key: str) -> tuple[int, str]:
    """Take the end of an escape (`\\n`) or of a colour code off the front of a name."""
    before = text[start - 1 : start] if start else ""
    if before == "\\" and key[0] in "nrt" and len(key) > 1:
        return start + 1, key[1:]
    if before in ("[", ";"):
        glued = _GLUED.match(key)
        if glued is not None and glued.end() < len(key):
            return start + glued.end(), key[glued.end() :]
    return start, key


def spaced_kind(text: str, start: int, key: str) -> str | None:
    """Read `api key` and `connection string` as one name."""
    if key.lower() not in ("key", "string"):
        return None
    before = _WORD_BEFORE.search(text, max(0, start - 16), start)
    # "references non-existent secret key: password" names a key of a Secret, and hides nothing.
    if before is None or before[1].lower() == "secret":
        return None
    return sensitive_kind(f"{before[1]}_{key}")


def _is_harmless(text: str, *, key: str, value: tuple[int, int], tight: bool) -> bool:
    """Whether a value behind a sensitive name is the name of an object, a version or a folder."""
    start, end = value
    if key in ("PWD", "OLDPWD") and text.startswith("/", start):
        return True
    if end - start > 512:
        return False
    word = text[start:end]
    if tight and "-" in key.strip("-") and _VERSION.fullmatch(word):
        return True
    if key.lower() != "secret":
        return False
    named = _OBJECT_NAME.fullmatch(word)
    return named is not None and (named[1] is not None or bool(_ABOUT_OBJECT.match(text, end)))
