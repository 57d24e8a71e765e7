r"""Secrets that only their name gives away: `password=...` in every syntax that logs and specs use.

First the names are found, each with the separator behind it; only behind a sensitive name is a
value read. The value of a harmless name is not consumed, so a pair inside it (`msg="password=x"`)
is found as well. Names inside a value that is already hidden are skipped, which keeps the scan
linear whatever the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from kausa.evidence.redaction.hints import Hints
from kausa.evidence.redaction.keys import (
    random_kind,
    sensitive_kind,
    suspicious_kind,
)
from kausa.evidence.redaction.randomness import is_random
from kausa.evidence.redaction.scanning import NAMES, scan
from kausa.evidence.redaction.span import Span
from kausa.evidence.redaction.values import (
    BLANK,
    is_flag,
    looks_like_value,
    read_block,
    read_line,
    read_phrase,
    read_quoted,
    read_until,
    read_word,
    starts_prose,
    starts_sentence,
)

__all__ = ["find_pairs", "spaced_kind"]


_COLOUR: Final = r"(?:\x1b\[[0-9;]{0,12}m)?"
_QUOTE: Final = r"\\{0,32}[\"'`]"
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
_LIST: Final = re.compile(r"\[(?!redacted:)(?P<body>[^\[\]{}\r\n]{1,1024}+)\]")
_VERSION: Final = re.compile(r"v?\d+(?:\.\d+)+(?:[-+][\w.-]*)?|latest|stable|main|edge")
_STRUCTURE: Final = re.compile(
    r"[{\[][ \t]{0,16}(?:\\{0,32}[\"'`]|[{\[\]}]|[A-Za-z_][\w.-]{0,64}:|\r?\n|\Z)"
    r"|&[A-Z][\w.]{0,64}\{"
)
_ASSIGNED: Final = re.compile(r"[A-Za-z_][\w.-]{0,64}=(?!=|\Z)")
_BELOW: Final = re.compile(r"[ \t]{0,64}(?:\r?\n|\\{1,32}n)(?:\s|\\{1,32}[nt]){0,64}")
_COUNT: Final = re.compile(r"[\d.,:/%-]*(?:ms|us|ns|s|m|h)?")
_DECIDING: Final = 256
_GLUED: Final = re.compile(r"\d{1,3}m")
_KEY_FILE: Final = re.compile(
    r"(?:\.{0,2}/|[A-Za-z]:\\|file:/)[\w./\\-]{0,200}(?:/[\w-]{1,32}|\.(?:pem|key|crt|cer|p12|jks|json|txt))"
)
_QUOTE_BEFORE: Final = re.compile(r"\\{0,32}[\"']\Z")
_WORD_BEFORE: Final = re.compile(r"([A-Za-z]++)[ ]\Z")
_OBJECT_NAME: Final = re.compile(r"[a-z0-9](?:[-a-z0-9.]{0,252}[a-z0-9])?(/[a-z0-9][-a-z0-9.]*)?")
_ABOUT_OBJECT: Final = re.compile(
    r"\\{0,32}[\"'`]?,? (?:not found|is forbidden|does not|already|not )"
)


def find_pairs(hints: Hints) -> Iterator[Span]:
    """Yield the values that follow a sensitive name."""
    if not hints.has(*NAMES):
        return
    text = hints.text
    lines = tuple(hints.lines(*NAMES))
    yield from scan(text, lines, _PAIR, _read_pair)
    if "-" in text:
        yield from scan(text, tuple(hints.lines(*NAMES, more=1)), _FLAG, _read_flag)


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
    if quoted is None and (enclosed := _read_enclosed(text, found)):
        quoted = enclosed
    if quoted is None and (listed := _LIST.match(text, position)):
        quoted = listed.span("body")
    if quoted is not None:
        value: tuple[int, int] | None = quoted
    elif colon:
        value = _read_after_colon(text, found, key_start=start, kind=kind)
    elif found["sep"] in ("->", "\u2192", ">"):
        value = None if starts_prose(text, position) else read_word(text, position)
    else:
        value = read_word(text, position)
    if value is None or _is_harmless(text, kind=kind, key=key, value=value, found=found):
        return None
    # `password= user=app`: the value is empty. `node->token->kind`: this is code.
    assigned = found["sep"] in ("=", "==") and found["space"] and not found["gap"]
    member = found["sep"] in ("->", ">") and not found["space"]
    if (assigned or member) and quoted is None:
        word = text[value[0] : value[1]]
        if not looks_like_value(word) or _ASSIGNED.match(word):
            return None
    return Span(*value, kind)


def _read_enclosed(text: str, found: re.Match[str]) -> tuple[int, int] | None:
    """`"--password=x 1"`: an argument or a variable that stands in quotes as a whole.

    The value may begin with the half of `==` or `=>`; but `"A == b"` compares two.
    """
    key, start = found["key"], found.start("key")
    option = key.startswith("--")
    if found["sep"] not in ("=", "==", "=>") or not (option or key.isupper()):
        return None
    if found["sep"] != "=" and not option and (found["gap"] or found["space"]):
        return None
    opening = _QUOTE_BEFORE.search(text, max(0, start - 33), start)
    return None if opening is None else read_until(text, found.end(), opening[0])


def _read_suspicious(text: str, found: re.Match[str], key: str) -> Span | None:
    kind = suspicious_kind(key)
    chance = None if kind else random_kind(key)
    if kind is None and chance is None:
        return None
    position = found.end()
    value = read_quoted(text, position)
    if value is None and (listed := _LIST.match(text, position)):
        value = listed.span("body")
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
    if kind is None:
        accepted = is_random(word)
    elif kind == "password" and given:
        accepted = _COUNT.fullmatch(word) is None
    else:
        accepted = looks_like_value(word) and _ASSIGNED.match(word) is None
    if not accepted:
        return None
    return Span(*((None if closed else read_word(text, position)) or value), kind or chance or "")


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
    chance = None if kind or suspicion else random_kind(found["key"])
    position = found.end()
    if not (kind or suspicion or chance) or is_flag(text, position):
        return None
    value = read_quoted(text, position)
    if value is None and not starts_prose(text, position):
        value = read_word(text, position)
    if value is None:
        return None
    word = text[value[0] : value[1]]
    if kind is None and not (is_random(word) if chance else looks_like_value(word)):
        return None
    if kind == "api-key" and _KEY_FILE.fullmatch(word[:512]) and not is_random(word):
        return None
    return Span(*value, kind or suspicion or chance or "")


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


def _is_harmless(
    text: str, *, kind: str, key: str, value: tuple[int, int], found: re.Match[str]
) -> bool:
    """Whether a value behind a sensitive name is the name of an object, a version or a path."""
    start, end = value
    if key in ("PWD", "OLDPWD") and text.startswith("/", start):
        return True
    if end - start > 512:
        return False
    word = text[start:end]
    tight = not found["space"]
    if kind == "api-key" and _KEY_FILE.fullmatch(word) and not is_random(word):
        return True
    if tight and "-" in key.strip("-") and _VERSION.fullmatch(word):
        return True
    if key.lower() != "secret":
        return False
    named = _OBJECT_NAME.fullmatch(word)
    return named is not None and (named[1] is not None or bool(_ABOUT_OBJECT.match(text, end)))
