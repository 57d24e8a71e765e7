"""Secrets that are told rather than assigned: `the password is x1`, `db_password x1`, `pwd%3Dx1`.

Without a separator a sentence looks the same, so that only a word that mixes letters with digits
or symbols is taken for a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from kausa.evidence.redaction.keys import MAX_KEY, sensitive_kind
from kausa.evidence.redaction.pairs import Span, may_name_secret, scan, spaced_kind
from kausa.evidence.redaction.values import (
    looks_like_value,
    read_phrase,
    read_quoted,
    read_word,
    starts_sentence,
)

__all__ = ["find_spoken"]

_TOLD: Final = re.compile(
    r"(?<![A-Za-z0-9_.\-/])(?<!\[redacted:)(?P<key>[A-Za-z][A-Za-z0-9_.]*+)"
    r"(?P<verb>[ \t]{1,4}(?:is|was|are|IS)(?![\w.-]))?(?P<colon>[ \t]{0,4}:)?(?P<gap>[ \t]{1,8})"
)
_BARE: Final = re.compile(r"[^\s\"'`\\=<>(\[,|]{4,256}+(?![=\[])")
# `password x1` is said; of the other names only those that no sentence holds: `api_token x1`.
_PLAIN: Final = re.compile(r"(?i)pass(?:word|wd|phrase)")
_ENCODED: Final = re.compile(
    r"(?<![A-Za-z0-9_.\-])(?P<key>[A-Za-z0-9_.\-]++)(?:%(?:25)?22)?%(?:25)?3(?:[Dd]|[Aa])"
    r"(?:%(?:25)?20|\+)?(?:%(?:25)?22)?(?P<value>(?:(?!%(?:25)?2[26])[^\s&\"'`<>#\\])++)"
)


def find_spoken(text: str) -> Iterator[Span]:
    """Yield the values that are told behind a sensitive name."""
    if not may_name_secret(text.lower()):
        return
    yield from scan(text, _TOLD, _read_told)
    if "%" in text:
        yield from scan(text, _ENCODED, _read_encoded)


def _read_told(text: str, found: re.Match[str]) -> Span | None:
    key, verb, colon = found["key"], found["verb"], found["colon"]
    if (colon and not verb) or not may_name_secret(key[-MAX_KEY:].lower()):
        return None
    kind = sensitive_kind(key) or spaced_kind(text, found.start("key"), key)
    if kind is None:
        return None
    position = found.end()
    if not verb:
        bare = _BARE.match(text, position)
        told = _PLAIN.fullmatch(key) or "_" in key
        if bare is None or not told or not looks_like_value(bare[0]):
            return None
        return Span(*(read_word(text, position) or bare.span()), kind)
    quoted = read_quoted(text, position)
    if colon:
        if quoted is None and starts_sentence(text, position):
            return None
        value = quoted or read_phrase(text, position)
    else:
        value = quoted or read_word(text, position)
        if value is not None and not looks_like_value(text[value[0] : value[1]]):
            return None
    return None if value is None else Span(*value, kind)


def _read_encoded(text: str, found: re.Match[str]) -> Span | None:
    kind = sensitive_kind(found["key"])
    return None if kind is None else Span(*found.span("value"), kind)
