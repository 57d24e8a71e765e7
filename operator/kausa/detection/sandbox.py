"""A Pod's sandbox that cannot be made, most often because the node's network plugin fails."""

from __future__ import annotations

import re

from kausa.detection.case import PodCase, newest
from kausa.detection.surroundings import Note
from kausa.detection.symptom import Symptom
from kausa.resources.category import Category

__all__ = ["SANDBOX_NOTES", "sandbox"]

SANDBOX_NOTES = frozenset(
    {"FailedCreatePodSandBox", "FailedPodSandBoxStatus", "NetworkNotReady", "FailedKillPod"}
)
_OF_NETWORK = re.compile(
    r"\bcni\b|network ?plugin|(?:set ?up|teardown|tear down|destroy) network|"
    r"network is not ready|NetworkReady=false|plugin type=",
    re.I,
)
_SANDBOX_ID = re.compile(r'(?<=sandbox ")[0-9a-f]{12,64}(?=")|\b[0-9a-f]{64}\b')


def sandbox(case: PodCase, notes: list[Note]) -> Symptom | None:
    """What keeps the Pod's sandbox from being made, as the last Event about it says."""
    note = newest(notes)
    if note is None:
        return None
    network = any(_OF_NETWORK.search(each.message) for each in notes)
    return Symptom(
        category=Category.NETWORK if network else Category.SANDBOX,
        reason=note.reason,
        reason_class="Network" if network else "Sandbox",
        detail="",
        # Every attempt has an id of its own; one failure keeps one message.
        message=_SANDBOX_ID.sub("…", note.message),
        since=min((each.first_seen for each in notes if each.first_seen), default=case.begun),
        last_seen=note.last_seen or case.begun,
        occurrences=max(1, note.count),
    )
