"""Claims that are not bound, by what stands in the claim, its class, its snapshot and the "
"volumes."""

from __future__ import annotations

from collections.abc import Iterator

from kausa.diagnosis.finding import Finding
from kausa.diagnosis.rules.accounts import claims_of, events, is_well, warnings
from kausa.diagnosis.rules.event_reasons import category_of_warning
from kausa.diagnosis.rules.facts import Fields, condition, find, namespace, objects
from kausa.diagnosis.rules.layers import at_most_beside
from kausa.diagnosis.rules.telling import citing, subject, tell_finding
from kausa.diagnosis.rules.wording import clip
from kausa.evidence.dossier import Dossier
from kausa.evidence.fields import flag, name_of, strings, table, text
from kausa.resources.category import Category

__all__ = [
    "claim_is_not_bound",
    "claim_is_resized",
    "claim_is_slow",
    "claim_waits_rightly",
    "volume_has_failed",
]

_OF_VOLUMES = frozenset({Category.VOLUME, Category.STORAGE})
SLOW_MINUTES = 5


def claim_is_not_bound(dossier: Dossier) -> Finding | None:
    """A claim in phase Pending or Lost that the Pod waits for, with what can be seen of why."""
    if is_well(dossier) or _waits_for_a_consumer(dossier):
        return None
    for claim in _claims(dossier):
        phase = text(claim, "status", "phase")
        if phase not in ("Pending", "Lost"):
            continue
        return _snapshot(dossier, claim) or _modes(dossier, claim) or _waits(dossier, claim, phase)
    return None


def _waits_for_a_consumer(dossier: Dossier) -> bool:
    """Whether a claim is not bound because no Pod that uses it has come, as its class wants it."""
    if dossier.shown_by.kind != "PersistentVolumeClaim" or dossier.has_pod:
        return False
    if dossier.symptom is not None or warnings(dossier):
        return False
    claim = find(dossier, "PersistentVolumeClaim", dossier.shown_by.name)
    class_ = find(dossier, "StorageClass", text(claim, "spec", "storageClassName"))
    return text(class_, "volumeBindingMode") == "WaitForFirstConsumer" or any(
        each.reason == "WaitForFirstConsumer" for each in events(dossier)
    )


def claim_waits_rightly(dossier: Dossier) -> Finding | None:
    """A claim that nobody uses yet, and is bound when somebody does."""
    if not _waits_for_a_consumer(dossier):
        return None
    name = dossier.shown_by.name
    return Finding(
        rule="healthy.nothing-fails",
        category=Category.OTHER,
        summary=f"no failure found: PersistentVolumeClaim {name} waits for the first Pod that "
        "uses it",
        root_cause="Its storage class makes a volume only when a Pod that uses the claim is "
        "scheduled (WaitForFirstConsumer).",
        explanation="So the volume is made where the Pod can run.",
        confidence=90,
        citations=citing(dossier),
    )


def volume_has_failed(dossier: Dossier) -> Finding | None:
    """A PersistentVolume that could not be given back."""
    if dossier.shown_by.kind != "PersistentVolume":
        return None
    name = dossier.shown_by.name
    volume = find(dossier, "PersistentVolume", name)
    if text(volume, "status", "phase") != "Failed":
        return None
    said = text(volume, "status", "message") or text(volume, "status", "reason")
    policy = text(volume, "spec", "persistentVolumeReclaimPolicy")
    return tell_finding(
        dossier,
        rule="volume.reclaim-failed",
        category=Category.VOLUME,
        summary=f"PersistentVolume {name} is Failed, it could not be reclaimed"
        + (f": {said}" if said else ""),
        cause=f"PersistentVolume {name} was released by its claim and could not be reclaimed"
        + (f" (policy {policy})" if policy else "")
        + (f": {said}" if said else ""),
        why="A volume that could not be deleted stays, and no claim is bound to it.",
        fix=f"Correct what the storage names, then delete PersistentVolume {name}",
        command=f"kubectl describe persistentvolume {name}",
        confidence=90,
        citations=citing(dossier, ("PersistentVolume", name)),
    )


def claim_is_resized(dossier: Dossier) -> Finding | None:
    """A volume that has grown and whose file system has not."""
    if is_well(dossier):
        return None
    for claim in _claims(dossier):
        pending = condition(claim, "FileSystemResizePending")
        if text(pending, "status") != "True":
            continue
        name = name_of(claim)
        asked = text(claim, "spec", "resources", "requests", "storage")
        return tell_finding(
            dossier,
            rule="volume.file-system-resize",
            category=Category.VOLUME,
            summary=f"the file system resize of PersistentVolumeClaim {name} is pending",
            cause=f"PersistentVolumeClaim {name} is being expanded"
            + (f" to {asked}" if asked else "")
            + ": the volume has grown, and the resize of its file system is pending until the "
            "kubelet of a node mounts it (FileSystemResizePending)",
            why="Some storage grows a file system only while it is being mounted.",
            fix=f"Restart the Pod that uses the claim {name}",
            command=f"kubectl -n {namespace(dossier)} describe persistentvolumeclaim {name}",
            confidence=at_most_beside(86, dossier),
            citations=citing(dossier, ("PersistentVolumeClaim", name)),
        )
    return None


def claim_is_slow(dossier: Dossier) -> Finding | None:
    """A provisioner that was asked for a volume, and goes on and on."""
    asked = [
        each
        for each in events(dossier)
        if each.reason in ("Provisioning", "ExternalProvisioning", "WaitForPodScheduled")
        and each.kind in ("Pod", "PersistentVolumeClaim")
    ]
    times = [each.time for each in asked if each.time is not None]
    if not asked or is_well(dossier) or any("Succeeded" in each.reason for each in events(dossier)):
        return None
    minutes = round((max(times) - min(times)).total_seconds() / 60) if len(times) > 1 else 0
    attempts = sum(each.count for each in asked)
    if attempts < 2 and minutes < SLOW_MINUTES:
        return None
    claim = next(iter(_claims(dossier)), {})
    if claim and text(claim, "status", "phase") == "Bound":
        return None
    how = f"for {minutes} minutes" if minutes else f"{attempts} times"
    return tell_finding(
        dossier,
        rule="storage.provisioning-slow",
        category=Category.STORAGE,
        summary=f"provisioning the volume of {subject(dossier)} does not complete, tried {how}",
        cause=f"The provisioner has been asked {how} for a volume of {subject(dossier)} and has "
        f"not "
        f"completed it, stuck or too slow: {clip(asked[-1].message, characters=220)}",
        why="A claim waits until its provisioner has made the volume; where neither success nor an "
        "error is reported, the provisioner or its storage does not answer.",
        fix="See whether the provisioner of the storage class runs, and what its log says",
        command="kubectl get csidrivers,storageclasses",
        confidence=at_most_beside(75, dossier),
        citations=[id_ for each in asked for id_ in each.citations],
    )


def _claims(dossier: Dossier) -> Iterator[Fields]:
    """The claims that the Pod names, or the one that fails; of a Pod that names none and of whose
    volumes is complained, those of the namespace.
    """
    place = namespace(dossier)
    if dossier.shown_by.kind == "PersistentVolumeClaim":
        names: tuple[str, ...] = (dossier.shown_by.name,)
    else:
        names = claims_of(dossier)
    for name in names:
        claim = find(dossier, "PersistentVolumeClaim", name, namespace=place)
        if claim is not None:
            yield claim
    if not names and _complains_of_volumes(dossier):
        yield from objects(dossier, "PersistentVolumeClaim", namespace=place)


def _complains_of_volumes(dossier: Dossier) -> bool:
    symptom = dossier.symptom
    if symptom is not None and symptom.category in _OF_VOLUMES:
        return True
    return any(
        category_of_warning(each.reason) in _OF_VOLUMES or "PersistentVolumeClaim" in each.message
        for each in warnings(dossier)
    )


def _snapshot(dossier: Dossier, claim: Fields) -> Finding | None:
    source = table(claim, "spec", "dataSource") or table(claim, "spec", "dataSourceRef")
    if text(source, "kind") != "VolumeSnapshot":
        return None
    name = text(source, "name")
    snapshot = find(dossier, "VolumeSnapshot", name, namespace=namespace(dossier))
    if snapshot is None or flag(snapshot, "status", "readyToUse"):
        return None
    said = text(snapshot, "status", "error", "message")
    return tell_finding(
        dossier,
        rule="storage.snapshot-not-ready",
        category=Category.STORAGE,
        summary=f"VolumeSnapshot {name} is not ready, so claim {name_of(claim)} cannot be restored",
        cause=f"PersistentVolumeClaim {name_of(claim)} is to be restored from VolumeSnapshot "
        f"{name}, "
        "which is not ready to use (readyToUse false)" + (f": {said}" if said else ""),
        why="A claim with a snapshot as its dataSource is provisioned when the snapshot is ready.",
        fix=f"See what keeps VolumeSnapshot {name} from being ready",
        command=f"kubectl -n {namespace(dossier)} describe volumesnapshot {name}",
        confidence=94,
        citations=citing(
            dossier, ("VolumeSnapshot", name), ("PersistentVolumeClaim", name_of(claim))
        ),
    )


def _modes(dossier: Dossier, claim: Fields) -> Finding | None:
    """No volume that is there has the access modes, and nobody makes one."""
    wanted = strings(claim, "spec", "accessModes")
    volumes = [
        each
        for each in objects(dossier, "PersistentVolume")
        if text(each, "status", "phase") in ("", "Available")
    ]
    if not wanted or not volumes or text(claim, "spec", "storageClassName"):
        return None
    if any(set(wanted) <= set(strings(each, "spec", "accessModes")) for each in volumes):
        return None
    has = "; ".join(
        f"{name_of(each)} offers {', '.join(strings(each, 'spec', 'accessModes')) or 'none'}"
        for each in volumes[:3]
    )
    name = name_of(claim)
    return tell_finding(
        dossier,
        rule="volume.access-mode-mismatch",
        category=Category.VOLUME,
        summary=f"access mode mismatch: claim {name} asks for {', '.join(wanted)}, {has}",
        cause=f"PersistentVolumeClaim {name} is not bound, because it asks for the access mode "
        f"{', '.join(wanted)} and no free PersistentVolume has it: {has}",
        why="A claim is bound to a volume that has all its access modes; block storage seldom "
        "allows ReadWriteMany.",
        fix="Ask for an access mode that a volume offers, or provide a volume that has it",
        command="kubectl get persistentvolumes",
        confidence=95,
        citations=citing(dossier, ("PersistentVolumeClaim", name)),
    )


def _waits(dossier: Dossier, claim: Fields, phase: str) -> Finding:
    name = name_of(claim)
    class_ = text(claim, "spec", "storageClassName")
    asked = text(claim, "spec", "resources", "requests", "storage")
    released = [
        name_of(each)
        for each in objects(dossier, "PersistentVolume")
        if text(each, "status", "phase") in ("Released", "Failed")
    ]
    told = [f"of class {class_}" if class_ else "", f"for {asked}" if asked else ""]
    said = next(
        (each.message for each in events(dossier)
         if each.kind == "PersistentVolumeClaim" and each.name == name and each.message), ""
    )  # fmt: skip
    if released:
        said = f"PersistentVolume {released[0]} is Released and cannot be bound again; {said}"
    image = _image_too(dossier)
    return tell_finding(
        dossier,
        rule="volume.claim-not-bound",
        category=Category.VOLUME,
        summary=f"PersistentVolumeClaim {name} is {phase}, not bound to a volume"
        + (f"; {image}" if image else ""),
        cause=f"{subject(dossier)} waits for PersistentVolumeClaim {name} "
        + " ".join(each for each in told if each)
        + f", which is {phase}: no PersistentVolume is bound to it"
        + (f" ({clip(said, characters=200)})" if said else "")
        + (f". Besides, {image}" if image else ""),
        why="A Pod starts when all its claims are bound; a claim is bound when a volume fits it or "
        "a provisioner has made one.",
        fix=f"See why the claim {name} is not bound",
        command=f"kubectl -n {namespace(dossier)} describe persistentvolumeclaim {name}",
        confidence=at_most_beside(84, dossier),
        citations=citing(dossier, ("PersistentVolumeClaim", name)),
    )


def _image_too(dossier: Dossier) -> str:
    """A second failure that the first hides."""
    told = (each for each in warnings(dossier) if "image" in each.reason.lower())
    found = next(told, None)
    return f"its image cannot be pulled either ({found.reason})" if found is not None else ""
