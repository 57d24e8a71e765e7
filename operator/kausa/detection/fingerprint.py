"""Identity: what makes two failures the same one, written as a short hash.

Cluster, namespace, top owner, container, reason class and the detail without its volatile parts.
Names of Pods, times, counts, ids, addresses and hashes change with every repeat and are taken out.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

__all__ = ["fingerprint", "normalise"]

FINGERPRINT_HEX_DIGITS = 16

_NAME_END = "[bcdfghjklmnpqrstvwxz2456789]"
"""Kubernetes ends generated names in these: no vowels, so that no words come of it."""

# Runtimes join names and ids by `_`, which is a part of words to `\b`.
_FROM, _TO = r"(?<![^\W_])", r"(?![^\W_])"

# Order matters: the longer shapes first, plain numbers last.
_VOLATILE: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(rf"{_FROM}[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}{_TO}", re.I),
        "<uuid>",
    ),
    (re.compile(rf"{_FROM}(?:sha256:)?[0-9a-f]{{32,128}}{_TO}", re.I), "<hash>"),
    # The attempt, at the end of the name that a runtime gives a container or a sandbox.
    (re.compile(rf"(?:(?<=<uuid>)|(?<=<hash>))_\d+{_TO}"), "_<number>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"), "<address>"),
    (
        re.compile(
            r"(?<![\w:.])(?:(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}|"
            r"(?=[0-9a-f:]{0,39}::)(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{1,4}|"
            r"(?:[0-9a-f]{1,4}:){1,7}:)(?![\w:])",
            re.I,
        ),
        "<address>",
    ),
    (re.compile(rf"(?<=\w)-{_NAME_END}{{8,10}}-{_NAME_END}{{5}}(?!-){_TO}"), "-<name>"),
    (re.compile(r"\b0x[0-9a-f]+\b", re.I), "<hex>"),
    (re.compile(r"\b(?:\d+h)?(?:\d+m)?\d+(?:\.\d+)?(?:s|ms|us|µs|ns)\b"), "<duration>"),
    (re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:[KMGTPE]i?B?|kB?|m|B)?(?!\w|\.\w)"), "<number>"),
)
_SIGN = re.compile(r"\d|::")
"""Nothing volatile goes without; looking for it costs a tenth of looking for all the shapes."""
LONGEST_NORMALISED = 512
LONGEST_READ = 4 * LONGEST_NORMALISED
MOST_REMEMBERED = 1_024
"""Texts of LONGEST_READ characters and what became of them: 2 MiB, or 8 MiB of the rarest kind."""
MOST_ROUNDS = 4
"""What one round replaces can make the next shape whole; one round does for all that is real."""


def normalise(text: str) -> str:
    """The text with everything volatile replaced, in one line, at most 512 characters.

    What is normalised already stays as it is.
    """
    return _normalised(text[:LONGEST_READ])


@lru_cache(maxsize=MOST_REMEMBERED)
def _normalised(text: str) -> str:
    """The same of a text that is no longer than is read; a storm says few things many times."""
    line = " ".join(text.split())
    for _ in range(MOST_ROUNDS):
        settled = _cut(_replaced(line))
        if settled == line:
            break
        line = settled
    return line


def _replaced(line: str) -> str:
    for pattern, placeholder in _VOLATILE:
        if _SIGN.search(line) is None:
            break
        line = pattern.sub(placeholder, line)
    return line


def _cut(line: str) -> str:
    """At a space where there is one: half a number is another number."""
    if len(line) <= LONGEST_NORMALISED:
        return line
    head = line[:LONGEST_NORMALISED]
    return head.rpartition(" ")[0] or head


def fingerprint(
    *,
    cluster: str,
    namespace: str,
    owner_kind: str,
    owner_name: str,
    container: str | None,
    reason_class: str,
    detail: str,
) -> str:
    """16 hex digits that two sightings of one failure share."""
    parts = (cluster, namespace, owner_kind, owner_name, container or "", reason_class, detail)
    # A separator that no Kubernetes name holds, so that ("a-b", "c") never equals ("a", "b-c").
    joined = "\x1f".join(parts).encode(errors="surrogatepass")
    return hashlib.blake2b(joined, digest_size=FINGERPRINT_HEX_DIGITS // 2).hexdigest()
