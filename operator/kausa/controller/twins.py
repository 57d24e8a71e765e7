"""One end of a container that the kubelet calls by two names: Error, and OOMKilled; pure.

Right after a container was killed for memory its end is called Error, and OOMKilled a moment later;
where a child process was killed, the two words come in turn. Both are one failure: whichever was
recorded first names the resource, and OOMKilled, which says more, is what the resource says.
"""

from __future__ import annotations

from msgspec.structs import replace

from kausa.detection.symptom import Symptom
from kausa.resources.category import Category

__all__ = ["are_twins", "other_word", "wording"]

_CRASH, _MEMORY = "CrashLoop", "OOMKilled"
KILLED_EXIT_CODE = 137


def other_word(symptom: Symptom) -> Symptom | None:
    """The same end under its other name; None for what has no other."""
    if symptom.reason_class == _CRASH and symptom.exit_code:
        return replace(
            symptom,
            category=Category.OOM_KILLED,
            reason=_MEMORY,
            reason_class=_MEMORY,
            detail="",
        )
    if symptom.reason_class == _MEMORY and symptom.exit_code:
        return replace(
            symptom,
            category=Category.CRASH_LOOP,
            reason="CrashLoopBackOff",
            reason_class=_CRASH,
            detail=f"exit {symptom.exit_code}",
        )
    return None


def are_twins(one: Symptom, other: Symptom) -> bool:
    """Whether both may be words for the ends of one failure."""
    return {one.reason_class, other.reason_class} <= {_CRASH, _MEMORY} and (
        one.container,
        one.exit_code,
    ) == (other.container, other.exit_code)


def wording(known: Symptom, seen: Symptom) -> Symptom:
    """What is said of a failure that was known in one word and is seen in the other.

    OOMKilled stays for the same end, and for every end by SIGKILL; another end of another kind is
    called what it is called now.
    """
    if known.reason_class != _MEMORY or seen.reason_class != _CRASH:
        return seen
    same_end = known.last_seen is not None and known.last_seen == seen.last_seen
    if not same_end and seen.exit_code != KILLED_EXIT_CODE:
        return seen
    kept = other_word(seen)
    return kept if kept is not None else seen
