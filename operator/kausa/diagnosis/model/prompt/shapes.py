"""Which words stand in the prompt outside of fences: names, never prose.

Whoever makes a Pod, an Event or an owner chooses its reason, its kind and its name. What has the
shape that Kubernetes gives such a word is shown as it is; anything else goes between fences like
all that others wrote.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["is_kind", "is_reason", "is_source", "is_target"]

_REASON: Final = r"[A-Za-z][A-Za-z0-9]{0,63}"
_REASONS: Final = rf"{_REASON}(?:, {_REASON}){{0,7}}"
_NONE: Final = r"no failure was detected|no failure now"
_SHOWN: Final = re.compile(
    rf"(?:{_REASONS}|a question|{_NONE})"
    rf"(?: \(it was (?:{_REASONS}|{_NONE}), resolved [\d :-]{{1,20}} UTC\))?"
)
_KIND: Final = r"[A-Za-z][A-Za-z0-9]{0,62}"
_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9.:_-]{0,252}"
_TARGET: Final = re.compile(rf"(?:{_KIND}/)?{_NAME}|the question")
_PATH: Final = r"(?!events\[)[A-Za-z0-9._~/@:*\"'{}\[\]()-]{1,300}"
_EVENT: Final = rf"events\[{_REASON}\]"
_LOG: Final = rf"log\[{_NAME}, (?:previous|current) run\]"
_SOURCE: Final = re.compile(
    rf"(?:https?://)?{_NAME}(?:/{_NAME}){{0,12}}(?: (?:{_LOG}|{_EVENT}(?: {_PATH})?|{_PATH}))?"
)


def is_reason(text: str) -> bool:
    """Whether it is Kubernetes' word for a failure, several of them, or that there is none."""
    return _SHOWN.fullmatch(text) is not None


def is_target(text: str) -> bool:
    """Whether it is `Kind/name`, or a name."""
    return _TARGET.fullmatch(text) is not None


def is_kind(text: str) -> bool:
    """Whether it is a word for a kind of evidence."""
    return re.fullmatch(_KIND, text) is not None


def is_source(text: str) -> bool:
    """Whether it says in which field, log or Event of an object something stands."""
    return not text or _SOURCE.fullmatch(text) is not None
