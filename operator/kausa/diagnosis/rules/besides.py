"""What else fails in the same Pod: two causes at once are both told."""

from __future__ import annotations

import msgspec

from kausa.cluster.objects import Pod
from kausa.detection.pods import detect_pod
from kausa.detection.symptom import Symptom
from kausa.evidence.dossier import Dossier

__all__ = ["other_failures"]

MOST = 2
SOMEWHERE = "unknown"


def other_failures(dossier: Dossier) -> tuple[Symptom, ...]:
    """The symptoms of the Pod's other containers; none where the failure is no container's."""
    symptom = dossier.symptom
    if symptom is None or symptom.container is None or dossier.now is None or not dossier.has_pod:
        return ()
    found = detect_pod(_placed(dossier.pod), now=dossier.now).symptoms
    return tuple(each for each in found if each.container not in (None, symptom.container))[:MOST]


def _placed(pod: Pod) -> Pod:
    """A Pod whose containers have a status has a node, even where its record does not name it."""
    if pod.spec.node_name or not pod.status.all_container_statuses:
        return pod
    return msgspec.structs.replace(pod, spec=msgspec.structs.replace(pod.spec, node_name=SOMEWHERE))
