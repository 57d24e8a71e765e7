"""Identity: what makes two failures the same one, written as a short hash.

Cluster, namespace, top owner, container, reason class and the detail without its volatile parts.
Names of Pods, times, counts, ids, addresses and hashes change with every repeat and are taken out.
"""

from __future__ import annotations

import hashlib
import re

__all__ = ["fingerprint", "normalise"]

FINGERPRINT_HEX_DIGITS = 16

# Order matters: the longer shapes first, plain numbers last.
_VOLATILE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.I), "<uuid>"),
    (re.compile(r"\b(?:sha256:)?[0-9a-f]{32,128}\b", re.I), "<hash>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"), "<address>"),
    (re.compile(r"\b0x[0-9a-f]+\b", re.I), "<hex>"),
    (re.compile(r"\b(?:\d+h)?(?:\d+m)?\d+(?:\.\d+)?(?:s|ms|us|ns)\b"), "<duration>"),
    (re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])"), "<number>"),
)
LONGEST_NORMALISED = 512


def normalise(text: str) -> str:
    """The text with everything volatile replaced, in one line, at most 512 characters."""
    line = " ".join(text[: 4 * LONGEST_NORMALISED].split())
    for pattern, placeholder in _VOLATILE:
        line = pattern.sub(placeholder, line)
    return line[:LONGEST_NORMALISED]


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
