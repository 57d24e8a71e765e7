"""Claims without their volume: what provisioners, the scheduler and the volume controllers say."""

from __future__ import annotations

from kausa.diagnosis.rules.statement import NAME, Statement, words
from kausa.resources.category import Category

__all__ = ["CLAIM_STATEMENTS"]

_VOLUME = frozenset({Category.VOLUME, Category.STORAGE})

CLAIM_STATEMENTS: tuple[Statement, ...] = (
    Statement(
        rule="volume.class-missing",
        of=_VOLUME,
        cause=Category.STORAGE,
        pattern=words(
            rf'storageclass(?:\.storage\.k8s\.io)? "(?P<storage_class>{NAME})" (?:is )?not found'
        ),
        summary="storage class {storage_class} does not exist, so {subject} gets no volume",
        root_cause="The claim asks for the storage class {storage_class}, which was not found: "
        "nobody makes its volume.",
        explanation="A claim is bound only when a volume of its class exists or can be made.",
        advice="Create the StorageClass {storage_class}, or make the claim anew with another class",
        command="kubectl get storageclasses",
        confidence=95,
    ),
    Statement(
        rule="volume.claim-missing",
        of=_VOLUME,
        cause=Category.VOLUME,
        pattern=words(rf'persistentvolumeclaim "(?P<claim>{NAME})" not found'),
        summary="PersistentVolumeClaim {claim} was not found, and {subject} needs it",
        root_cause="{subject} mounts the claim {claim}, which does not exist in namespace "
        "{namespace}.",
        explanation="The scheduler does not place a Pod whose volume claim does not exist.",
        advice="Create the PersistentVolumeClaim {claim}, or correct its name in the Pod",
        command="kubectl -n {namespace} get persistentvolumeclaims",
        confidence=95,
    ),
    Statement(
        rule="volume.access-mode",
        of=_VOLUME,
        cause=Category.VOLUME,
        pattern=words(
            r"(?P<why>\b(?:access ?modes?|ReadWriteMany|ReadOnlyMany)\b[^:]{0,120}?(?:not "
            r"supported|unsupported|mismatch|not match)[^:]{0,80}|"
            r"(?:unsupported|invalid) access ?modes?[^:]{0,80})"
        ),
        summary="the access mode that {subject} asks for cannot be had: {why}",
        root_cause="No volume with the access mode that {subject} asks for can be made: {why}.",
        explanation="A storage class makes volumes of some access modes only; block storage "
        "seldom allows ReadWriteMany.",
        advice="Ask for an access mode that the storage offers, or use another class",
        command="kubectl -n {namespace} describe persistentvolumeclaims",
        confidence=92,
    ),
    Statement(
        rule="storage.snapshot-not-ready",
        cause=Category.STORAGE,
        pattern=words(
            r"\b(?:volume ?)?snapshot\w{0,10}\b[^.;]{0,160}?(?:is not (?:yet )?ready|"
            r"not readyToUse|not found|failed|cannot be restored)"
        ),
        summary="the volume of {subject} cannot be restored from its snapshot: {said}",
        root_cause="The volume of {subject} is to be restored from a VolumeSnapshot that is not "
        "ready to use: {said}.",
        explanation="A claim with a snapshot as its dataSource is provisioned when the snapshot's "
        "readyToUse is true.",
        advice="See what keeps the VolumeSnapshot from being ready",
        command="kubectl -n {namespace} get volumesnapshots",
        confidence=95,
    ),
    Statement(
        rule="storage.provisioning-quota",
        cause=Category.STORAGE,
        pattern=words(
            r"provision volume.{0,200}?: (?P<why>.{0,200}?(?:quota|limit exceeded|LimitExceeded|"
            r"insufficient (?:capacity|free space|storage)|not enough (?:free )?space|"
            r"ResourceExhausted|out of space).{0,160})"
        ),
        summary="no volume can be made for {subject}, the storage backend has reached a limit: "
        "{why}",
        root_cause="The storage behind the claim of {subject} refuses to make the volume because a "
        "quota or limit is reached: {why}.",
        explanation="The claim waits; the provisioner tries again, waiting longer each time.",
        advice="Raise the limit of the storage account, free volumes, or use another storage class",
        command="kubectl get persistentvolumeclaims -A",
        confidence=95,
    ),
    Statement(
        rule="storage.provisioning-timeout",
        cause=Category.STORAGE,
        pattern=words(
            r"provision\w{0,3} (?:a )?volume.{0,200}?(?P<why>DeadlineExceeded.{0,120}|context "
            r"deadline exceeded|timed out.{0,80}|timeout.{0,80})"
        ),
        summary="provisioning the volume of {subject} timed out: {why}",
        root_cause="The provisioner asked its storage for the volume of {subject}, and got no "
        "answer in time: {said}.",
        explanation="The provisioner tries again; a storage backend that is slow or cannot be "
        "reached delays every claim.",
        advice="See whether the storage backend and its CSI controller answer",
        command="kubectl get csidrivers",
        confidence=90,
    ),
    Statement(
        rule="storage.provisioning-fails",
        cause=Category.STORAGE,
        pattern=words(
            r'failed to provision volume with StorageClass "?(?P<storage_class>[^":]{1,253})"?: '
            r"(?P<why>.{1,400})"
        ),
        summary="no volume of class {storage_class} can be made for {subject}: {why}",
        root_cause="The provisioner of storage class {storage_class} fails to make the volume of "
        "{subject}: {why}.",
        explanation="The claim waits; the provisioner tries again, waiting longer each time.",
        advice="Correct what the storage says, or use another storage class",
        command="kubectl describe storageclasses",
        confidence=85,
    ),
    Statement(
        rule="storage.provisioner-silent",
        of=_VOLUME,
        cause=Category.STORAGE,
        pattern=words(
            rf"waiting for the provisioner (?P<provisioner>{NAME}(?:/{NAME})?) to make a volume of "
            r"class (?P<storage_class>\S{1,253}), (?P<since>since \S+ \S+)"
        ),
        summary="provisioner {provisioner} has not made the volume of {subject}, {since}",
        root_cause="The provisioner {provisioner} was asked for a volume of class {storage_class} "
        "for {subject}, and has not answered {since}.",
        explanation="The program behind the storage class makes volumes; either it does not run or "
        "it does not get on.",
        advice="See whether the provisioner {provisioner} runs, and what it says",
        command="kubectl get csidrivers",
        confidence=80,
    ),
    Statement(
        rule="volume.no-class",
        of=_VOLUME,
        cause=Category.VOLUME,
        pattern=words(
            r"no persistent volumes available for this claim and no storage class is set"
        ),
        summary="{subject} names no storage class, there is no default one, and no volume fits it",
        root_cause="No volume is free that fits {subject}, it names no storage class, and the "
        "cluster has no default one that would make a volume.",
        explanation="Without a class a claim waits for a volume that somebody makes by hand.",
        advice="Name a storage class in the claim, make one the default, or create a volume",
        command="kubectl get storageclasses,persistentvolumes",
        confidence=94,
    ),
    Statement(
        rule="volume.waits-for-one",
        of=_VOLUME,
        pattern=words(rf"waits for the volume (?P<volume>{NAME}), and is not bound to it"),
        summary="{subject} waits for the volume {volume}, which does not exist or is not free",
        root_cause="{subject} names the volume {volume} and is not bound to it: the volume does "
        "not exist, belongs to another claim, or differs from what the claim asks for.",
        explanation="A claim that names its volume takes no other.",
        advice="Create or free the volume {volume}, or take its name out of the claim",
        command="kubectl get persistentvolumes",
        confidence=80,
    ),
    Statement(
        rule="volume.mismatch",
        of=_VOLUME,
        cause=Category.VOLUME,
        pattern=words(
            r'Cannot bind to requested volume "(?P<volume>[^"]{1,253})": (?P<why>.+)|'
            r'volume "(?P<taken>[^"]{1,253})" already bound to a different claim'
        ),
        summary="{subject} cannot be bound to the volume that it names<<: {said}>>",
        root_cause="{subject} asks for a certain volume, which is not bound to it<<: {said}>>.",
        explanation="A claim that names its volume takes no other.",
        advice="Let claim and volume agree, or take the volume's name out of the claim",
        command="kubectl get persistentvolumes",
        confidence=92,
    ),
    Statement(
        rule="volume.lost",
        of=_VOLUME,
        cause=Category.VOLUME,
        pattern=words(r"ClaimLost|ClaimMisbound|has lost its PersistentVolume"),
        summary="{subject} has lost its volume<<: {said}>>",
        root_cause="The volume that {subject} was bound to is gone or bound to another claim: "
        "{said}.",
        explanation="Data on a volume that was deleted is lost; nothing makes a new one for this "
        "claim.",
        advice="Restore the volume, or make claim and data anew",
        command="kubectl get persistentvolumes",
        confidence=94,
    ),
    Statement(
        rule="volume.file-system-resize-pending",
        of=_VOLUME,
        pattern=words(r"^FileSystemResizePending"),
        summary="the file system of {subject} has not grown yet: the resize is pending until a Pod "
        "mounts it anew",
        root_cause="The volume of {subject} was made larger; its file system grows when a Pod "
        "mounts the volume again.",
        explanation="Some storage grows a file system only while it is being mounted.",
        advice="Restart the Pod that uses the claim {name}",
        command="kubectl -n {namespace} describe persistentvolumeclaim {name}",
        confidence=88,
    ),
    Statement(
        rule="volume.resize-fails",
        of=_VOLUME,
        pattern=words(r"^\w*(?:Resize|ModifyVolume)\w*(?:Failed|Error): (?P<why>.+)"),
        summary="the volume of {subject} cannot be resized: {why}",
        root_cause="The volume of {subject} was asked to grow, and that fails: {why}.",
        explanation="The claim keeps its old size until the storage can give it more.",
        advice="Correct what the storage names, or ask for less",
        command="kubectl -n {namespace} describe persistentvolumeclaims",
        confidence=85,
    ),
    Statement(
        rule="volume.other-zone",
        of=_VOLUME,
        pattern=words(r"volume node affinity conflict"),
        summary="no node that {subject} may run on reaches its volume: volume node affinity "
        "conflict",
        root_cause="The volume of {subject} can be reached from some nodes only (most often those "
        "of one zone), and none of them takes the Pod.",
        explanation="A volume of one zone ties its Pod to the nodes of that zone.",
        advice="Add a node where the volume is, or move the data",
        command="kubectl get persistentvolumes,nodes --show-labels",
        confidence=90,
    ),
    Statement(
        rule="volume.too-many",
        of=_VOLUME,
        cause=Category.VOLUME,
        pattern=words(r"exceed max volume count"),
        summary="every node has as many volumes as it may attach (max volume count), so {subject} "
        "waits",
        root_cause="{subject} needs a volume, and every node that would take it has reached the "
        "number of volumes that it may attach.",
        explanation="Clouds limit the volumes of one machine.",
        advice="Add a node, or use fewer volumes",
        command="kubectl get csinodes -o yaml",
        confidence=92,
    ),
    Statement(
        rule="volume.unbound",
        of=_VOLUME,
        pattern=words(r"unbound immediate PersistentVolumeClaims"),
        summary="{subject} waits for a claim that is not bound{upstream}",
        root_cause="{subject} waits for a PersistentVolumeClaim that is not bound{upstream}.",
        explanation="The scheduler does not place a Pod before its claims are bound.",
        advice="See why the claim is not bound",
        command="kubectl -n {namespace} describe persistentvolumeclaims",
        confidence=68,
        vague=True,
    ),
)
