"""Words that several rules share, so that one thing is always called the same."""

from __future__ import annotations

import signal

from kausa.cluster.owners import Owner
from kausa.detection.symptom import Symptom

__all__ = ["clip", "ended_with", "owner_reference", "plural"]


def owner_reference(owner: Owner) -> str:
    """`deployment/checkout`, as kubectl takes it."""
    return f"{owner.kind.lower()}/{owner.name}"


def ended_with(symptom: Symptom) -> str:
    """`exit code 137, SIGKILL`."""
    if symptom.exit_code is None:
        return "an exit code that the kubelet has lost"
    code = f"exit code {symptom.exit_code}"
    if symptom.signal is None:
        return code
    try:
        return f"{code}, {signal.Signals(symptom.signal).name}"
    except ValueError:
        return f"{code}, signal {symptom.signal}"


def plural(count: int, word: str) -> str:
    """`1 node`, `3 nodes`."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def clip(text: str, *, characters: int) -> str:
    """One line, cut with an ellipsis where it is too long."""
    line = " ".join(text.split())
    return line if len(line) <= characters else line[: characters - 1].rstrip() + "…"
