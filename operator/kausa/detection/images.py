"""Containers whose image cannot be had, by whatever of the kubelet's words for it.

ErrImagePull and ImagePullBackOff come in turn while one and the same image is missing; the image
that was asked for makes the identity, and the registry's own answer the message.
"""

from __future__ import annotations

import re

from kausa.cluster.objects import ContainerStatus, Waiting
from kausa.detection.case import PodCase, attempts, last_end, last_heard, latest
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
_ATTEMPTS = frozenset({"Failed", "InspectFailed", "ErrImageNeverPull"})
_WRAPPED = 'Back-off pulling image "'
_WRAPPING = re.compile(r'^Back-off pulling image "[^"]{1,512}": (?:ErrImagePull: )?(?=.)')


def image(case: PodCase, status: ContainerStatus, waiting: Waiting) -> Symptom:
    """The image of this container cannot be pulled or used."""
    ended = last_end(status)
    since = latest(case.begun, ended.finished_at if ended else None)
    tried = [
        note
        for note in case.notes(_ATTEMPTS, container=status.name)
        if note.reason != "Failed" or note.message.startswith("Failed to pull image")
    ]
    message = waiting.message
    if message.startswith(_WRAPPED):
        # Between two attempts the same words come wrapped; one failure keeps one message.
        message = _WRAPPING.sub("", message)
    return Symptom(
        category=Category.IMAGE_PULL,
        reason=BACK_OFF if waiting.reason == "ErrImagePull" else waiting.reason,
        reason_class="ImagePull",
        detail=_specified_image(case, status),
        message=message,
        container=status.name,
        since=since,
        last_seen=last_heard(since, tried),
        occurrences=attempts(tried),
    )


def _specified_image(case: PodCase, status: ContainerStatus) -> str:
    """The image that was asked for; a status may show another name of the same image."""
    asked = case.asked(status)
    return asked.image if asked is not None and asked.image else status.image
