"""Secrets that are told rather than assigned: `the password is x1`, `db_password x1`, `pwd%3Dx1`.

Without a separator a sentence looks the same, so that only a word that mixes letters with digits
or symbols is taken for a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from kausa.evidence.redaction.hints import Hints
from kausa.evidence.redaction.keys import random_kind, sensitive_kind, suspicious_kind
from kausa.evidence.redaction.pairs import spaced_kind
from kausa.evidence.redaction.randomness import is_random
from kausa.evidence.redaction.scanning import NAMES, scan
from kausa.evidence.redaction.span import Span
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
    r"(?P<verb>[ \t]{1,4}(?:is|was|are|IS)(?:[ \t](?:now|set[ \t]to))?(?![\w.-]))?"
    r"(?P<colon>[ \t]{0,4}:)?(?P<gap>[ \t]{1,8})"
)
_BARE: Final = re.compile(r"(?:(?!&\w{1,40}=)[^\s\"'`\\=<>(\[,|]){4,256}+(?![=\[])")
# `password x1` is said; of the other names only those that no sentence holds: `api_token x1`.
_PLAIN: Final = re.compile(r"(?i)(?:key|store|root|bind)?(?:pass(?:word|wd|phrase)?|pw)")
_BOOTSTRAP: Final = re.compile(r"[a-z0-9]{6}\.[a-z0-9]{16}")
_ENCODED: Final = re.compile(
    r"(?<![A-Za-z0-9_.\-])(?P<key>[A-Za-z0-9_.\-]++)(?:%(?:25){0,4}22)?"
    r"%(?P<level>(?:25){0,4})3(?:[Dd]|[Aa])(?:%(?:25){0,4}2[02Bb]|\+)*+"
    r"(?P<value>(?:(?!%(?P=level)2[26])[^\s&\"'`<>#\\])++)"
)


def find_spoken(hints: Hints) -> Iterator[Span]:
    """Yield the values that are told behind a sensitive name."""
    text = hints.text
    lines = tuple(hints.lines(*NAMES))
    yield from scan(text, lines, _TOLD, _read_told)
    if "%" in text:
        yield from scan(text, lines, _ENCODED, _read_encoded)


def _read_told(text: str, found: re.Match[str]) -> Span | None:
    key, verb, colon = found["key"], found["verb"], found["colon"]
    if colon and not verb:
        return None
    kind = sensitive_kind(key) or spaced_kind(text, found.start("key"), key)
    if kind is None:
        return None
    position = found.end()
    if not verb:
        return _read_bare(text, position, key=key, kind=kind)
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


def _read_bare(text: str, position: int, *, key: str, kind: str) -> Span | None:
    """`db_password x1`, `token 3f9a...`: behind a blank only what can be nothing else."""
    quoted = read_quoted(text, position) if _PLAIN.fullmatch(key) else None
    if quoted is not None:
        return Span(*quoted, kind) if looks_like_value(text[quoted[0] : quoted[1]]) else None
    bare = _BARE.match(text, position)
    if bare is None:
        return None
    told = _PLAIN.fullmatch(key) is not None or "_" in key
    if told and looks_like_value(bare[0]):
        return Span(*(read_word(text, position) or bare.span()), kind)
    word = bare[0].rstrip(".,;:!?)")
    if is_random(word) or _BOOTSTRAP.fullmatch(word):
        return Span(position, position + len(word), kind)
    return None


def _read_encoded(text: str, found: re.Match[str]) -> Span | None:
    kind = sensitive_kind(found["key"]) or suspicious_kind(found["key"])
    if kind is None and is_random(found["value"]):
        kind = random_kind(found["key"])
    return None if kind is None else Span(*found.span("value"), kind)
