"""A Pod's sandbox that cannot be made, most often because the node's network plugin fails.

What the kubelet does for a Pod before that can fail as well: its directories, cgroups and devices.
"""

from __future__ import annotations

import re

from kausa.detection.case import PodCase, newest
from kausa.detection.surroundings import Note
from kausa.detection.symptom import Symptom
from kausa.resources.category import Category

__all__ = ["SANDBOX_NOTES", "SYNC", "is_of_sandbox", "sandbox"]

SANDBOX_NOTES = frozenset(
    {
        "Failed",
        "FailedCreatePodContainer",
        "FailedCreatePodSandBox",
        "FailedKillPod",
        "FailedPodSandBoxStatus",
        "FailedPrepareDynamicResources",
        "FailedSync",
        "FailedValidation",
        "NetworkNotReady",
    }
)
SYNC = "FailedSync"
"""That it went wrong as a whole; where another Event says what did, this one only repeats it."""
_OTHERS = {
    "FailedPrepareDynamicResources": (Category.OTHER, "DynamicResources"),
    "FailedValidation": (Category.ADMISSION, "FailedValidation"),
}
_OF_DIRECTORIES = "error making pod data directories"
_OF_NETWORK = re.compile(
    r"\bcni\b|network ?plugin|(?:set ?up|teardown|tear down|destroy) network|"
    r"network is not ready|NetworkReady=false|plugin type=",
    re.I,
)
_SANDBOX_ID = re.compile(r'(?<=sandbox ")[0-9a-f]{12,64}(?=")|\b[0-9a-f]{64}\b')


def is_of_sandbox(note: Note) -> bool:
    """Whether it is about the Pod itself: the kubelet says Failed of containers, too."""
    return note.reason != "Failed" or _OF_DIRECTORIES in note.message


def sandbox(case: PodCase, notes: list[Note]) -> Symptom | None:
    """What keeps the Pod's sandbox from being made, as the last Event about it says."""
    note = newest(notes)
    if note is None:
        return None
    category, reason_class = Category.SANDBOX, "Sandbox"
    if note.reason in _OTHERS:
        category, reason_class = _OTHERS[note.reason]
    elif any(_OF_NETWORK.search(each.message) for each in notes):
        category, reason_class = Category.NETWORK, "Network"
    return Symptom(
        category=category,
        reason=note.reason,
        reason_class=reason_class,
        detail="",
        # Every attempt has an id of its own; one failure keeps one message.
        message=_SANDBOX_ID.sub("…", note.message),
        since=min((each.first_seen for each in notes if each.first_seen), default=case.begun),
        last_seen=note.last_seen or case.begun,
        occurrences=max(1, note.count),
    )
