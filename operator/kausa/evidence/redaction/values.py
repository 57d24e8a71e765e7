r"""Reading the value that follows a sensitive name, and telling a value from a sentence.

`password=x1`, `"password": "x1"` and `password: x1` carry a secret; `token: expired`, `password:
<none>` and `using password: YES` carry the cause of a failure. After a colon or a flag, a word of
the small vocabulary of error messages is read as prose; any other word is taken for a secret,
because hiding one word too many costs less than showing one.
"""

from __future__ import annotations

import functools
import re
from typing import Final

from kausa.evidence.redaction.prefixes import prefix_end

__all__ = [
    "BLANK",
    "is_flag",
    "is_not_secret",
    "is_prose",
    "looks_like_value",
    "read_block",
    "read_line",
    "read_phrase",
    "read_quoted",
    "read_until",
    "read_word",
    "starts_prose",
    "starts_sentence",
]


BLANK: Final = r"[ \t\u00a0\u1680\u2000-\u200b\u202f\u205f\u2060\u3000\ufeff]"
"""What looks like a space; people paste the others from documents."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PROSE: Final = _words(
    """
    a already an and any are as at auth authentication authorization bad be been before both by
    can cannot configmaps connect connecting contains context could deadline decode decoding
    denied dial does empty error errors exceeded exchange exec exit expected expired expires
    failed failure fetch for forbidden format found from get grpc has have if illegal in inactive
    incorrect insufficient internal invalid is issued issuer it its json length lookup malformed
    may mismatch missing more must namespaces no not oauth2 of oidc on only operation or panic
    parse parsing pending permission pods provided pull pulling put read reading references
    refused rejected required requires rpc serviceaccounts should strconv the there this timed
    timeout to too unable unauthenticated unauthorized unexpected unknown unmarshal unsupported
    unverified validation verification verify waiting was while with would write writing wrong
    x509 you your
    """
)
# Nouns of error messages, and passwords too: they are prose only where the sentence goes on.
_NOUNS: Final = _words(
    """
    client code configmap connection crypto enter file go http https input io jwt key keys line
    namespace net network object open pod post resource secret secrets server service
    serviceaccount signature stat stream syntax tls token user username value volume yaml
    """
)
# Error messages may start with these, and so may a passphrase.
_FILLERS: Final = _words(
    """
    a all an and any are as at be before both by can for from have if in it no of on or the there
    this to was were with you your
    """
)
_ORDINARY: Final = re.compile(
    r"(?i)v?\d+(?:\.\d+)*(?:[a-z]{1,2}|min|sec)?|(?:scram|hmac)?-?(?:sha|md)-?\d+(?:-[a-z]+)?"
    r"|o?auth-?\d(?:\.\d)?|x509|ipv[46]|(?:0x)?0+|[a-z]{0,8}[+]?://\S*|[/.]\S*|\S*://\S*"
)
_SYMBOLS: Final = frozenset("!@#$%^&*+~=")
_NOT_SECRET: Final = re.compile(
    r"(?i:true|false|yes|no|on|off|null|nil|none|undefined|unset|empty|n/a|redacted|masked|hidden)"
    r"|\$\([A-Za-z_][\w.-]*\)|\$\{[A-Za-z_][\w.]*\}|\$[A-Z][A-Z0-9_]*|\{\{[^{}]*\}\}|%[sdqv]"
    r"|<[A-Za-z][A-Za-z0-9 _.'\"/-]*>|[xX]{3,}|[-*._|>+]*"
)
_DESCRIBED: Final = re.compile(r"<(?:set to the key|none|unset|nil|null|empty|redacted|hidden)\b")
_FIRST: Final = re.compile(r"[^\s\"'`\\]{1,64}")
_FLAG: Final = re.compile(r"--?[A-Za-z][A-Za-z-]{0,64}(?=[\s=\"']|\Z)")
_WORD: Final = re.compile(
    r"(?:(?!;[ \t]?[A-Za-z][\w.%\-]{0,40}(?: [A-Z]\w{0,24}){0,3}="
    r"|[&,][ \t]?[A-Za-z][\w.%\-]{0,40}[=:])"
    # A shell takes a blank behind a backslash into the word.
    r"(?!\\{1,32}[\"'nrt])(?:[^\s\"'`\x1b]|(?<=[^\s\\]\\)[ ](?=[^\s\\-])"
    r"|(?<=[\w!#$%^*+~.-])[\"'`](?=[\w!#$%^*+~.-])))++"
)
_LINE: Final = re.compile(r"(?:(?!\\{1,32}[\"'nr]|[ \t]#)[^\r\n])++")
_ESCAPED_LINE: Final = re.compile(r"(?:(?!\\{1,32}[\"'nr]|[ \t]#)[^\r\n\"'])++")
# `Some("x1")`, `SecretStr('x1')`, `b'x1'`, `string(2) "x1"`: quotes with something around them.
_OPENING: Final = re.compile(
    r"(?:[A-Za-z_][\w.:]{0,40}\([ \t]?|string\(\d{1,6}\)[ ]|[bBuUrRfFnN@$]{1,2})?+"
    r"(?P<quote>\\{0,32}[\"'`])"
)
_REOPENED: Final = re.compile(r"'(?:\\{0,32}\"'\\{0,32}\"|\\{1,32}')?'")
_PHRASE: Final = re.compile(
    r"(?:(?!\\{1,32}[\"'nr]|[ \t]#[ \t]|[ \t][A-Za-z][\w.\-/]{0,40}[=:]"
    r"|;[ \t]?[A-Za-z][\w.%\-]{0,40}(?: [A-Z]\w{0,24}){0,3}="
    r"|[&,][ \t]?[A-Za-z][\w.%\-]{0,40}[=:])(?:[^\r\n\"'`\x1b]|(?<=\w)'(?=\w)))++"
)
_BLOCK: Final = re.compile(r"(?:[|>][+-]?\d?[+-]?)?[ \t]*(?P<newline>\r?\n|\\{1,32}n)")
_MAPPING: Final = re.compile(
    r"(?:-[ \t]+)?(?:[\"']?[\w.\-/]{1,128}[\"']?:(?:\s|\\|\Z)|[{\[]|-?[ \t]*(?:\r?\n|\Z))"
)
_QUOTE_CHAR: Final = re.compile(r"\\{0,32}[\"']")
_INDENT: Final = re.compile(r"[ \t]*")
_CLOSERS: Final = {")": "(", "]": "[", "}": "{", ">": "<"}

Span = tuple[int, int]


def is_prose(word: str, *, followed: bool = False) -> bool:
    """Whether a bare word after `token:` is the beginning of an error message."""
    if word.endswith(":") and word[:-1].isalpha():
        return True
    bare = word.strip(".,;:!?()").lower()
    return bare in _PROSE or (followed and bare in _NOUNS)


def starts_prose(text: str, position: int) -> bool:
    """Whether an error message goes on here, rather than a value."""
    word = _FIRST.match(text, position)
    return word is not None and is_prose(word[0], followed=text.startswith(" ", word.end()))


def starts_sentence(text: str, position: int) -> bool:
    """Whether an error message goes on here, where a passphrase is as likely.

    A word that any sentence may start with proves nothing until a word of an error follows.
    """
    if not starts_prose(text, position):
        return False
    words = text[position : position + 96].split("\n", 1)[0].split()[:6]
    first = re.split(r"[\"'`\\]", words[0])[0].strip(".,;:!?()").lower()
    if words[0].endswith(":") or not (first in _FILLERS or first in _NOUNS):
        return True
    bare = [word.strip(".,;:!?()\"'").lower() for word in words[1:]]
    return not bare or any(w in _PROSE - _FILLERS or w in _NOUNS or w[:1] == "/" for w in bare)


def looks_like_value(text: str) -> bool:
    """Whether a word mixes letters with digits or symbols, as no word of a sentence does."""
    word = text.strip().rstrip(".,;:!?)")
    if len(word) < 4 or not any(char.isalpha() for char in word):
        return False
    mixed = any(char.isdigit() or char in _SYMBOLS for char in word)
    return mixed and _ORDINARY.fullmatch(word) is None


def is_flag(text: str, position: int = 0) -> bool:
    """Whether another option starts here; `-x9...` is a value that happens to start with a dash."""
    return _FLAG.match(text, position) is not None


def is_not_secret(value: str) -> bool:
    """Whether a value is empty, a switch, a mask or a reference to be filled in."""
    stripped = value.strip()
    return not stripped or _NOT_SECRET.fullmatch(stripped) is not None


@functools.lru_cache(maxsize=32)
def _closing(quote: str) -> re.Pattern[str]:
    if len(quote) == 1:
        return re.compile(rf"(?:[^{quote}\\\r\n]|\\[^\r\n])*+")
    # Inside an escaped string the closing quote carries exactly as many backslashes.
    return re.compile(rf"(?:(?!(?<!\\){re.escape(quote)})[^\r\n])*+")


def read_quoted(text: str, position: int) -> Span | None:
    """Return what stands between the quotes that open here; a cut string ends with its line."""
    opening = _OPENING.match(text, position)
    if opening is None:
        return None
    closing = _closing(opening["quote"])
    start = end = opening.end()
    while body := closing.match(text, end):
        end = body.end()
        # A quote inside: doubled as in YAML, or put together as in a shell.
        again = _REOPENED.match(text, end) if opening["quote"] == "'" else None
        if again is None:
            return start, end
        end = again.end()
    return start, end


def read_until(text: str, position: int, quote: str) -> Span | None:
    """Return what stands here before the quote that closes the string around it, if it does."""
    body = _closing(quote).match(text, position)
    if body is None or body.end() == position or not text.startswith(quote, body.end()):
        return None
    return body.span()


def read_word(text: str, position: int) -> Span | None:
    """Return the bare value that starts here, without the punctuation that closes a sentence."""
    found = _WORD.match(text, position)
    if found is None or _DESCRIBED.match(text, position):
        return None
    return _trimmed(text, *found.span())


def read_phrase(text: str, position: int) -> Span | None:
    """Return the words that start here, up to the end of the line or the next pair."""
    word = read_word(text, position)
    if word is None or is_not_secret(text[word[0] : word[1]]):
        return None
    found = _PHRASE.match(text, position)
    if found is None:
        return word
    phrase = _trimmed(text, found.start(), found.start() + len(found[0].rstrip()))
    return word if phrase is None else (word[0], max(word[1], phrase[1]))


def _trimmed(text: str, start: int, end: int) -> Span | None:
    """Leave out the punctuation that closes the sentence around a value."""
    # Eight closers at most: counting brackets again and again would not be linear.
    for _ in range(8):
        last = text[end - 1]
        opener = _CLOSERS.get(last)
        if opener is None:
            if last not in ",;:.":
                break
        elif text.count(opener, start, end) >= text.count(last, start, end):
            break
        end -= 1
        if end == start:
            return None
    return start, end


def read_line(text: str, position: int, *, escaped: bool) -> Span | None:
    """Return the value of a YAML line up to its end or comment."""
    if _DESCRIBED.match(text, position):
        return None
    found = (_ESCAPED_LINE if escaped else _LINE).match(text, position)
    if found is None:
        return None
    end = found.start() + len(found[0].rstrip())
    return (found.start(), end) if end > found.start() else None


def read_block(text: str, position: int, *, indent: int) -> Span | None:
    """Return the lines below a key (`key: |` or `key:`) that are indented deeper than it."""
    opening = _BLOCK.match(text, position)
    if opening is None:
        return None
    newline = "\n" if opening["newline"].endswith("\n") else opening["newline"]
    plain = text[position] not in "|>"
    start = end = cursor = opening.end()
    while cursor < len(text):
        found = text.find(newline, cursor)
        line_end = len(text) if found < 0 else found
        begin = min(prefix_end(text, cursor), line_end)
        margin = _INDENT.match(text, begin)
        first = begin if margin is None else min(margin.end(), line_end)
        if first < line_end and first - begin <= indent:
            break
        if plain and end == start and _MAPPING.match(text, first):
            return None  # Names inside it are looked at on their own.
        if newline != "\n":
            # An escaped text ends with its quotes.
            quote = _QUOTE_CHAR.search(text, first, line_end)
            if quote is not None:
                end = quote.start()
                break
        if first < line_end:
            end = line_end
        cursor = line_end + len(newline)
    start += len(text[start:end]) - len(text[start:end].lstrip())
    return (start, end) if end > start else None
