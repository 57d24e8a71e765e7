"""Containers whose image cannot be had, by whatever of the kubelet's words for it.

ErrImagePull and ImagePullBackOff come in turn while one and the same image is missing; the image
that was asked for makes the identity, and the registry's own answer the message.
"""

from __future__ import annotations

import re

from kausa.cluster.objects import ContainerStatus, Waiting
from kausa.detection.case import PodCase, last_end, latest
from kausa.detection.symptom import Symptom
from kausa.resources.category import Category

__all__ = ["IMAGE_REASONS", "image"]

IMAGE_REASONS = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    }
)
BACK_OFF = "ImagePullBackOff"
_WRAPPING = re.compile(r'^Back-off pulling image "[^"]{1,512}": (?:ErrImagePull: )?(?=.)')


def image(case: PodCase, status: ContainerStatus, waiting: Waiting) -> Symptom:
    """The image of this container cannot be pulled or used."""
    ended = last_end(status)
    since = latest(case.begun, ended.finished_at if ended else None)
    attempts = [
        note
        for note in case.notes(
            {"Failed", "InspectFailed", "ErrImageNeverPull"}, container=status.name
        )
        if note.reason != "Failed" or note.message.startswith("Failed to pull image")
    ]
    return Symptom(
        category=Category.IMAGE_PULL,
        reason=BACK_OFF if waiting.reason == "ErrImagePull" else waiting.reason,
        reason_class="ImagePull",
        detail=_specified_image(case, status),
        # Between two attempts the same words come wrapped; one failure keeps one message.
        message=_WRAPPING.sub("", waiting.message),
        container=status.name,
        since=since,
        last_seen=latest(since, *(note.last_seen for note in attempts)),
        occurrences=max((note.count for note in attempts), default=1),
    )


def _specified_image(case: PodCase, status: ContainerStatus) -> str:
    """The image that was asked for; a status may show another name of the same image."""
    asked = case.asked(status)
    return asked.image if asked is not None and asked.image else status.image
