"""Words that several rules share, so that one thing is always called the same."""

from __future__ import annotations

import signal

from kausa.cluster.objects import Terminated
from kausa.cluster.owners import Owner
from kausa.detection.symptom import Symptom
from kausa.evidence.redaction.placeholders import whole_until

__all__ = [
    "clip",
    "ended_with",
    "ending",
    "owner_reference",
    "plainly",
    "plural",
    "quoted",
    "sentence",
]


_UNNAMED = (
    (" of container of the Pod", ""),
    ("Container of the Pod", "A container of the Pod"),
    ("container of the Pod", "a container of the Pod"),
    ("image of the container", "the image"),
    ("Image of the container", "The image"),
    ("the the image", "the image"),
)


def owner_reference(owner: Owner) -> str:
    """`deployment/checkout`, as kubectl takes it."""
    return f"{owner.kind.lower()}/{owner.name}"


def ended_with(symptom: Symptom) -> str:
    """`exit code 137, SIGKILL`."""
    if symptom.exit_code is None:
        return "an exit code that the kubelet has lost"
    code = f"exit code {symptom.exit_code}"
    return f"{code}, {signal_name(symptom.signal)}" if symptom.signal is not None else code


def signal_name(number: int) -> str:
    """`SIGKILL`, or `signal 77`."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def ending(symptom: Symptom, ended: Terminated | None, *, container: str) -> str:
    """How a container ended and what Kubernetes calls it, as a sentence."""
    times = f", {plural(symptom.occurrences, 'time')}" if symptom.occurrences > 1 else ""
    if ended is None and symptom.exit_code is None:
        return f"Kubernetes shows {symptom.reason}{times}."
    if symptom.exit_code is not None:
        how = ended_with(symptom)
    else:
        how = f"exit code {ended.exit_code}" if ended is not None else ""
    who = f"Container {container}" if container else "Its container"
    return f"{who} ends with {how} ({symptom.reason}{times})."


def quoted(text: str, *, characters: int) -> str:
    """`It says: "...".`, the text on one line."""
    return f'It says: "{clip(text, characters=characters)}".'


def plainly(text: str) -> str:
    """A text about a container whose name nobody tells, so that it reads as a sentence."""
    for told, plain in _UNNAMED:
        text = text.replace(told, plain)
    return text


def sentence(text: str) -> str:
    """The text with a full stop behind it."""
    text = text.rstrip()
    return text if text.endswith((".", "…", "!", "?", '"')) else f"{text}."


def plural(count: int, word: str) -> str:
    """`1 node`, `3 nodes`."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def clip(text: str, *, characters: int) -> str:
    """One line, cut with an ellipsis where it is too long."""
    line = " ".join(text.split())
    if len(line) <= characters:
        return line
    return line[: whole_until(line, characters - 1)].rstrip() + "…"
