"""What a text says beneath its disguise, and a text without what nobody sees.

A model reads accents, small capitals, letters of other alphabets and escapes as the letters that
they stand for, so they are compared as those. What no reader sees at all (format characters, tags,
variation selectors) is not even sent: it only ever carries what is to be hidden.

Letters are told by the name that Unicode gives them, and only those of other alphabets that look
Latin by a table, which is short: the ones that occur. It misses rare ones.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

__all__ = ["hidden_in", "readings", "visible"]

_TAGS: Final = 0xE0000
_HIDDEN: Final = re.compile("[\U000e0020-\U000e007e]{4,}")
_FILLERS: Final = "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"
_MARK_OF_CONVERSATION: Final = re.compile(
    r"<(?=\|[A-Za-z_]{2,40}\|>|/?s>|(?:start|end)_of_turn>)", re.IGNORECASE
)
"""A server may read it as a token of its own, whose text nobody wrote."""
_SPELLED: Final = re.compile(r"\b(?:\w[ .*_-]){4,}\w\b")
_GAPS: Final = re.compile(r"[ .*_-]")
_LEET: Final = str.maketrans("013457@$", "oieastas")
_IN_WORD: Final = re.compile(r"[a-z][013457@$]|[013457@$][a-z]")
_COLOUR: Final = re.compile(r"\x1b\[[0-9;?]{0,20}[A-Za-z]")
_ESCAPED: Final = re.compile(r"\\u\{?([0-9a-fA-F]{4,6})\}?|\\x([0-9a-fA-F]{2})|\\([nrt])")
_LETTER: Final = re.compile(
    r"(?:LATIN (?:SMALL |CAPITAL )?LETTER (?:SMALL CAPITAL |DOTLESS |SCRIPT |OPEN |LONG )?"
    r"|(?:NEGATIVE )?(?:SQUARED|CIRCLED) LATIN CAPITAL LETTER |REGIONAL INDICATOR SYMBOL LETTER )"
    r"([A-Z])(?: WITH .*)?"
)
_LOOK_ALIKES: Final = {
    ord(theirs): latin
    for alike, meant in (
        # Greek, capitals first: they look like other letters than their small ones.
        ("\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7",
         "abezhikmnoptyx"),
        ("\u03b1\u03b5\u03b3\u03b7\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u03c9",
         "aeynikvoptuxw"),
        # Cyrillic.
        ("\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406\u0405"
         "\u0408", "abekmhopctyxisj"),
        ("\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445\u0456\u0455"
         "\u0458\u04bb\u0501\u051b\u051d\u0475\u04cf\u0433\u043f", "abekmhopctyxisjhdqwvlrn"),
        # Armenian.
        ("\u0585\u0578\u057d\u0570\u0581\u0566", "onuhgq"),
    )
    for theirs, latin in zip(alike, meant, strict=True)
}  # fmt: skip


def visible(text: str) -> str:
    """Return the text without what nobody sees; the same one where there is nothing."""
    if not text.isascii():
        text = "".join(each for each in text if not _is_unseen(each))
    return _MARK_OF_CONVERSATION.sub("< ", text) if "<" in text else text


def hidden_in(text: str) -> str:
    """Return what is written in tag characters, which models read and people do not see."""
    if text.isascii():
        return ""
    return " ".join(
        "".join(chr(ord(each) - _TAGS) for each in found[0]) for found in _HIDDEN.finditer(text)
    )


def readings(text: str) -> Iterator[str]:
    """Yield what the text may be read as: in lower case, in one line, each once."""
    seen = set[str]()
    for spoken in _decoded(text):
        for reading in _readings(spoken):
            if reading not in seen:
                seen.add(reading)
                yield reading


def _readings(text: str) -> Iterator[str]:
    plain = _one_line(unicodedata.normalize("NFKC", text))
    yield plain
    # Accents go only where letters bear them: in other alphabets they are letters themselves.
    latin = plain if text.isascii() else _one_line(_latin(text))
    yield latin
    if _IN_WORD.search(latin):
        yield latin.translate(_LEET)
    if _SPELLED.search(latin):
        yield _SPELLED.sub(lambda found: _GAPS.sub("", found[0]), latin)


def _decoded(text: str) -> Iterator[str]:
    """The text, and where it holds escapes what they stand for, also twice over."""
    yield text
    for _ in range(2):
        before = text
        if "%" in text:
            text = unquote(text, errors="ignore")
        if "&" in text:
            text = html.unescape(text)
        if "\\" in text:
            text = _ESCAPED.sub(_character, text)
        if text == before:
            return
        yield text


def _character(found: re.Match[str]) -> str:
    if found[3]:
        return " "
    number = int(found[1] or found[2], 16)
    return chr(number) if number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF else ""


def _one_line(text: str) -> str:
    if not text.isprintable():
        text = _COLOUR.sub("", text)
        # A line's end is a gap; any other character that does not print is nothing.
        text = "".join(
            each for each in text if each.isspace() or unicodedata.category(each)[0] != "C"
        )
    return " ".join(text.split()).casefold()


def _latin(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text)
    return unicodedata.normalize("NFC", "".join(map(_as_latin, apart)))


@lru_cache(maxsize=4_096)
def _as_latin(character: str) -> str:
    if character.isascii():
        return character
    if unicodedata.category(character) == "Mn":
        return "" if unicodedata.combining(character) == 230 or _is_mark(character) else character
    known = _LOOK_ALIKES.get(ord(character))
    if known is not None:
        return known
    letter = _LETTER.fullmatch(unicodedata.name(character, ""))
    return letter[1].lower() if letter is not None else character


def _is_mark(character: str) -> bool:
    """Whether it is put over or under letters of any alphabet, and is no vowel of one."""
    return unicodedata.name(character, "").startswith("COMBINING ")


@lru_cache(maxsize=4_096)
def _is_unseen(character: str) -> bool:
    number = ord(character)
    return (
        unicodedata.category(character) == "Cf"
        or 0xFE00 <= number <= 0xFE0F
        or 0xE0100 <= number <= 0xE01EF
        or _TAGS <= number < _TAGS + 0x80
        or 0x180B <= number <= 0x180F
        or character in _FILLERS
    )
