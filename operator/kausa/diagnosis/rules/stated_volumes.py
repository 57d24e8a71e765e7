"""Volumes that cannot be attached or mounted: what attachers and the kubelet say."""

from __future__ import annotations

from kausa.diagnosis.rules.statement import NAME, Statement, words
from kausa.resources.category import Category

__all__ = ["VOLUME_STATEMENTS"]

_VOLUME = frozenset({Category.VOLUME, Category.STORAGE})
_MOUNTED_CONFIG = frozenset({Category.CONFIG, Category.VOLUME})
WAITS = "The Pod waits until its volumes are there; the kubelet tries again by itself."

VOLUME_STATEMENTS: tuple[Statement, ...] = (
    Statement(
        rule="config.mounted-object-missing",
        of=_MOUNTED_CONFIG,
        pattern=words(
            rf'volume "(?P<volume>[^"]{{1,253}}")?.{{0,300}}?(?P<what>configmap|secret) '
            rf'"(?P<object>{NAME})" not found'
        ),
        summary="{what} {object} does not exist, and a volume of {subject} is made of it",
        root_cause="A volume of {subject} is made of the {what} {object}, which was not found in "
        "namespace {namespace}.",
        explanation=WAITS,
        advice="Create the {what} {object}, or correct its name in the volume",
        command="kubectl -n {namespace} get configmaps,secrets",
        confidence=95,
    ),
    Statement(
        rule="config.mounted-key-missing",
        of=_MOUNTED_CONFIG,
        pattern=words(r"references non-existent (?P<what>config|secret) key:? ?(?P<key>\S{1,253})"),
        summary="a volume of {subject} takes the {what} key {key}, which does not exist",
        root_cause="A volume of {subject} takes the {what} key {key}, which the object that it is "
        "made of does not hold.",
        explanation=WAITS,
        advice="Add the key {key}, or correct its name in the volume",
        command="kubectl -n {namespace} get configmaps,secrets",
        confidence=94,
    ),
    Statement(
        rule="volume.multi-attach",
        of=_VOLUME,
        pattern=words(
            r'Multi-Attach error for volume "(?P<volume>[^"]{1,253})" (?P<why>Volume is already.+)'
        ),
        summary="volume {volume} is attached elsewhere already: {why}",
        root_cause="Volume {volume} of {subject} can be attached to one node only, and still is "
        "attached to another: {why}.",
        explanation="The Pod that used it before must be gone, and its volume detached, first; a "
        "node that is lost keeps its volumes for some minutes.",
        advice="Stop the other Pod, or use a volume that several nodes may attach",
        command="kubectl get volumeattachments",
        confidence=93,
    ),
    Statement(
        rule="volume.driver-missing",
        of=_VOLUME,
        pattern=words(
            r"driver name (?P<driver>\S{1,253}) not found in the list of registered CSI drivers"
        ),
        summary="CSI driver {driver} does not run on {node}",
        root_cause="The kubelet of {node} knows no CSI driver {driver}, so it cannot mount "
        "the volume of {subject}.",
        explanation="A CSI driver's DaemonSet registers it with each kubelet.",
        advice="Bring the driver's DaemonSet to {node}",
        command="kubectl get csidrivers,csinodes",
        confidence=94,
    ),
    Statement(
        rule="volume.host-path",
        of=_VOLUME,
        pattern=words(
            r"hostPath type check failed: (?P<path>\S{1,500}) is not an? (?P<type>[\w ]{1,40})"
        ),
        summary="{path} is not a {type} on {node}, and {subject} mounts it",
        root_cause="{subject} mounts the host path {path} as a {type}; on {node} it is none.",
        explanation=WAITS,
        advice="Correct the path or the type of the hostPath volume, or create it on the node",
        confidence=95,
    ),
    Statement(
        rule="volume.no-permission",
        of=_VOLUME,
        pattern=words(
            r'(?:Mount|Map|Attach)\w*\.?\w* failed for volume "(?P<volume>[^"]{1,253})" ?: '
            r"(?P<why>.*?permission denied.*|.*?access denied.*)"
        ),
        summary="no permission to mount volume {volume} of {subject}: {why}",
        root_cause="Volume {volume} of {subject} cannot be mounted because permission is denied: "
        "{why}.",
        explanation=WAITS,
        advice="Give the node access to what the volume stands for",
        command="kubectl get persistentvolumes",
        confidence=88,
    ),
    Statement(
        rule="volume.mount-fails",
        of=_VOLUME,
        pattern=words(
            r"(?P<step>Attach|Mount|Map|Unmount|Expand)(?:Volume|Device)\.?\w* failed for volume "
            r'"(?P<volume>[^"]{1,253})" ?: (?P<why>.+)'
        ),
        summary="volume {volume} of {subject} fails to {step}: {why}",
        root_cause="The step {step} of volume {volume} of {subject} fails: {why}.",
        explanation=WAITS,
        advice="Correct what the storage or the kubelet names",
        command="kubectl get persistentvolumes",
        confidence=80,
    ),
    Statement(
        rule="volume.unmounted",
        of=_VOLUME,
        pattern=words(
            r"Unable to attach or mount volumes: unmounted volumes=\[(?P<volumes>[^\]]{1,500})\]"
        ),
        summary="volumes {volumes} of {subject} cannot be mounted, for no reason given",
        root_cause="The kubelet of {node} could not mount the volumes {volumes} of {subject} "
        "within two minutes.",
        explanation=WAITS,
        advice="Read the other Events of the Pod",
        command="kubectl -n {namespace} describe {kind} {name}",
        confidence=55,
        vague=True,
    ),
)
