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
        cause=Category.CONFIG,
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
        cause=Category.CONFIG,
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
        rule="config.object-missing",
        cause=Category.CONFIG,
        pattern=words(
            r"\b(?P<what>config ?map|secret) [\"']?(?:[\w.-]{1,63}/)?(?P<object>[\w.-]{1,25"
            r"3}?)[\"']? (?:was |is )?(?:not found|does not exist)"
        ),
        summary="{what} {object} does not exist (not found), and {subject} needs it",
        root_cause="{subject} names the {what} {object}, which does not exist in namespace "
        "{namespace}: {said}.",
        explanation="A container is created when everything that its environment is made of "
        "exists.",
        advice="Create the {what} {object}, or correct its name",
        command="kubectl -n {namespace} get configmaps,secrets",
        confidence=88,
    ),
    Statement(
        rule="volume.multi-attach",
        of=_VOLUME,
        cause=Category.VOLUME,
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
        cause=Category.STORAGE,
        pattern=words(
            r"driver name (?P<driver>\S{1,253}) not found in the list of registered CSI drivers"
        ),
        summary="CSI driver {driver} is not registered on {node}: it does not run there",
        root_cause="The kubelet of {node} finds no CSI driver {driver} among those that are "
        "registered (not installed there, or its Pod is down), so it cannot mount the volume of "
        "{subject}.",
        explanation="A CSI driver's DaemonSet registers it with each kubelet.",
        advice="Bring the driver's DaemonSet to {node}",
        command="kubectl get csidrivers,csinodes",
        confidence=94,
    ),
    Statement(
        rule="volume.host-path",
        of=_VOLUME,
        cause=Category.VOLUME,
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
        cause=Category.VOLUME,
        pattern=words(
            r"(?:Mount|Map|Attach)\w*\.?\w* failed for volume [\"'](?P<volume>[^\"']{1,253})"
            r"[\"'] ?: (?P<why>.{0,300}?(?:permission denied|access denied|operation not permitted)"
            r".{0,120})"
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
        rule="volume.sub-path",
        of=_VOLUME,
        cause=Category.VOLUME,
        pattern=words(
            r"failed to (?:prepare|create) subPath (?:directory )?(?:for volumeMount|for mount)? ?"
            r'"?(?P<volume>[^\s"]{0,253})"?(?P<why>.{0,200})'
        ),
        summary="the subPath of a volume mount {volume} of {subject} cannot be made",
        root_cause="The subPath of volume mount {volume} of {subject} cannot be prepared<<: "
        "{why}>>.",
        explanation=WAITS,
        advice="Correct the subPath, or create it in the volume with the right owner",
        confidence=90,
    ),
    Statement(
        rule="volume.not-bound",
        of=_VOLUME,
        cause=Category.VOLUME,
        pattern=words(
            r'(?:failed for volume "(?P<volume>[^"]{1,253})" ?: '
            r".{0,80})?(?:PersistentVolumeClaim|PVC|"
            r"claim)(?: [\"']?(?P<claim>[\w./-]{1,253})[\"']?)? is not (?:yet )?bound"
        ),
        summary="{subject} waits for a PersistentVolumeClaim<< {claim}>> that is not bound",
        root_cause="A volume<< {volume}>> of {subject} is a PersistentVolumeClaim<< {claim}>> "
        "that is not bound to a PersistentVolume, so it cannot be mounted.",
        explanation=WAITS,
        advice="See why the claim is not bound",
        command="kubectl -n {namespace} describe persistentvolumeclaims",
        confidence=82,
    ),
    Statement(
        rule="volume.released",
        of=_VOLUME,
        cause=Category.VOLUME,
        pattern=words(
            r"(?P<why>(?:PV|PersistentVolume|volume)(?: [\"']?(?P<volume>[\w.-]{1,253})[\"']?)? "
            r"(?:is )?(?:in )?(?:the )?(?P<phase>Released|Failed) (?:state|phase))"
        ),
        summary="the PersistentVolume<< {volume}>> of {subject} is {phase}, and cannot be bound "
        "again",
        root_cause="The PersistentVolume<< {volume}>> that {subject} needs is in phase {phase}: "
        "its former claim is gone, and no other claim gets it until its claimRef is taken away: "
        "{said}.",
        explanation="With reclaimPolicy Retain a volume keeps its data and the name of its former "
        "claim, so that nobody else gets the data by chance.",
        advice="Take claimRef out of the volume to let it be bound again, or make a new volume",
        command="kubectl get persistentvolumes",
        confidence=93,
    ),
    Statement(
        rule="volume.credentials",
        of=_VOLUME,
        cause=Category.VOLUME,
        pattern=words(
            r"failed for volume [\"'](?P<volume>[^\"']{1,253})[\"'] ?: (?P<why>.{0,300}?(?:"
            r"Unauthorized|AccessDenied|AuthorizationFailed|403 Forbidden|not authorized to "
            r"perform|SecretProviderClass).{0,200})"
        ),
        summary="volume {volume} of {subject} cannot be mounted, access is refused: {why}",
        root_cause="What stands behind volume {volume} of {subject} refuses access: {why}.",
        explanation=WAITS,
        advice="Give the driver, or the Pod's identity, the rights that the storage demands",
        command="kubectl get csidrivers",
        confidence=90,
    ),
    Statement(
        rule="volume.mount-fails",
        of=_VOLUME,
        cause=Category.VOLUME,
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
        summary="mounting the volumes {volumes} of {subject} timed out, for no reason given",
        root_cause="The kubelet of {node} could not mount the volumes {volumes} of {subject} "
        "within two minutes.",
        explanation=WAITS,
        advice="Read the other Events of the Pod",
        command="kubectl -n {namespace} describe {kind} {name}",
        confidence=55,
        vague=True,
    ),
    Statement(
        rule="volume.driver-unknown",
        cause=Category.STORAGE,
        pattern=words(
            r"no CSI ?driver\b|CSI ?driver \"?(?P<driver>[\w.-]{0,253})\"? ?(?:is |"
            r"was )?not (?:found|installed|registered|available)"
        ),
        summary="CSI driver<< {driver}>> is not installed, and {subject} needs it",
        root_cause="The CSI driver<< {driver}>> that makes or mounts the volume of {subject} was "
        "not found: it is not installed or not registered: {said}.",
        explanation="A CSI driver has a controller for the cluster and a part on every node.",
        advice="Install the CSI driver, or bring its Pods back",
        command="kubectl get csidrivers,csinodes",
        confidence=88,
    ),
    Statement(
        rule="volume.resize-failed",
        cause=Category.VOLUME,
        pattern=words(
            r"resiz\w{1,4} (?:of )?(?:volume|PersistentVolumeClaim) "
            r"?\"?(?P<volume>[\w.-]{0,253})\"? ?fail\w{0,3}:? ?(?P<why>.{0,240})"
        ),
        summary="the volume<< {volume}>> of {subject} cannot be resized<<: {why}>>",
        root_cause="The volume<< {volume}>> of {subject} was asked to grow, and the resize "
        "fails<<: {why}>>.",
        explanation="The claim keeps its old size until the storage can give it more.",
        advice="Correct what the storage names, or ask for less",
        command="kubectl get persistentvolumeclaims -A",
        confidence=86,
    ),
)
