"""What Kubernetes itself says: the symptom, the Events, and conditions that are not as they should.

An Event outlives what it speaks of. What has been made good since is left out here, so that no rule
takes an old complaint for a cause.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from kausa.diagnosis.rules.facts import Fields, condition, find, objects
from kausa.evidence.dossier import Dossier, Evidence
from kausa.evidence.fields import name_of, rows, text
from kausa.resources.evidence import EvidenceKind

__all__ = [
    "LONGEST_READ",
    "Account",
    "accounts",
    "claims_of",
    "creation_succeeded",
    "events",
    "is_well",
    "warnings",
]

LONGEST_READ = 4096
_EVENT = re.compile(
    r"^(?P<type>\w{1,20}) event (?P<reason>[^,]{0,128}), seen (?P<count>\d{1,9}) times?"
    r"(?: [^:]{0,60})?: ?(?P<message>.*)$",
    re.S,
)
_OF_START = re.compile(
    r"^(?:FailedScheduling|FailedMount|FailedAttachVolume|FailedMapVolume|FailedCreatePodSand\w*|"
    r"NotTriggerScaleUp|NoScaleUp|ScaleUpFailed|FailedBinding|ProvisioningFailed|NetworkNotReady|"
    r"ErrImagePull|ImagePullBackOff|InspectFailed|FailedCreate|CNI\w*)$"
)
_OF_CLAIM = frozenset({"ProvisioningFailed", "FailedBinding", "ExternalProvisioning"})
_TELLING = frozenset(
    {
        "NotTriggerScaleUp", "NoScaleUp", "Preempted", "Preempting", "Evicted", "NodeNotReady",
        "NodeHasDiskPressure", "NodeHasInsufficientMemory", "NodeHasInsufficientPID",
        "TaintManagerEviction", "NodeShutdown",
    }
)  # fmt: skip
"""What components report as normal though it is what somebody asks about."""
_HARMLESS = frozenset(
    {"DNSConfigForming", "CheckLimitsForResolvConf", "InvalidDiskCapacity", "AlreadyMountedVolume"}
)
"""Warnings that well nodes and Pods have too."""
_BAD_WHEN_TRUE = re.compile(
    r"Pressure$|Unavailable$|Problem$|^Frequent|Deadlock$|^ReadonlyFilesystem$|Failure$|"
    r"^ScalingLimited$|ResizePending$|ResizeError$"
)
_IGNORED = frozenset({"Initialized", "ContainersReady", "PodReadyToStartContainers", "Suspended"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One thing that Kubernetes says of one object."""

    reason: str
    message: str
    kind: str
    name: str
    warning: bool
    """False for Events that only tell what was done."""
    is_event: bool = True
    time: datetime | None = None
    count: int = 1
    citations: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """`reason: message`, as the tables of statements read it."""
        return f"{self.reason}: {self.message}"[:LONGEST_READ]


def accounts(dossier: Dossier) -> tuple[Account, ...]:
    """What is complained of: warnings in the order of time, then conditions that are bad."""
    over = is_well(dossier)
    told = (
        each
        for each in events(dossier)
        if ((each.warning and each.reason not in _HARMLESS) or each.reason in _TELLING)
        and not _made_good(each, dossier, pod_is_well=over)
    )
    return (*told, *_conditions(dossier))


def warnings(dossier: Dossier) -> tuple[Account, ...]:
    """The warnings that are not made good since."""
    over = is_well(dossier)
    return tuple(
        each
        for each in events(dossier)
        if each.warning
        and each.reason not in _HARMLESS
        and not _made_good(each, dossier, pod_is_well=over)
    )


def events(dossier: Dossier) -> tuple[Account, ...]:
    """All Events, the earliest first; those whose time nobody knows stand last."""
    found = [
        account
        for each in dossier.evidence
        if each.kind is EvidenceKind.EVENT and (account := _of_event(each)) is not None
    ]
    return tuple(sorted(found, key=_moment))


def creation_succeeded(dossier: Dossier) -> bool:
    """Whether the symptom is a refusal to create, and a Pod was created since."""
    symptom = dossier.symptom
    return (
        symptom is not None
        and symptom.reason == "FailedCreate"
        and dossier.shown_by.kind != "Pod"
        and _pod_came_after(dossier, symptom.last_seen)
    )


def _pod_came_after(dossier: Dossier, time: datetime | None) -> bool:
    pod = dossier.pod
    came = pod.metadata.creation_timestamp or pod.status.start_time
    return time is not None and came is not None and came >= time


def is_well(dossier: Dossier) -> bool:
    """Whether the Pod runs with every container ready."""
    status = dossier.pod.status
    containers = status.container_statuses or ()
    return status.phase == "Running" and bool(containers) and all(each.ready for each in containers)


def _moment(account: Account) -> tuple[bool, float]:
    return (account.time is None, account.time.timestamp() if account.time else 0.0)


def _of_event(evidence: Evidence) -> Account | None:
    found = _EVENT.match(evidence.text[:LONGEST_READ])
    if found is None:
        return None
    return Account(
        reason=found["reason"].strip(),
        message=found["message"].strip(),
        kind=evidence.source.kind,
        name=evidence.source.name,
        warning=found["type"].lower() == "warning",
        time=evidence.time,
        count=int(found["count"]),
        citations=(evidence.id,),
    )


def _made_good(account: Account, dossier: Dossier, *, pod_is_well: bool) -> bool:
    of_pod = account.kind == "Pod" and account.name == dossier.pod.metadata.name
    if pod_is_well and of_pod:
        since = _ready_since(dossier)
        if _OF_START.match(account.reason) is not None:
            return True
        return since is not None and account.time is not None and account.time < since
    if of_pod and account.reason == "Unhealthy" and dossier.symptom is None:
        return _is_still_starting(account, dossier)
    if account.kind == "Node" and account.reason == "NodeNotReady":
        node = find(dossier, "Node", account.name)
        return node is not None and text(condition(node, "Ready"), "status") == "True"
    if account.reason == "FailedCreate" and account.kind != "Pod":
        return _pod_came_after(dossier, account.time)
    if account.reason in _OF_CLAIM and account.kind == "PersistentVolumeClaim":
        claim = find(dossier, "PersistentVolumeClaim", account.name)
        return claim is not None and text(claim, "status", "phase") == "Bound"
    return False


def _is_still_starting(account: Account, dossier: Dossier) -> bool:
    """Whether a startup probe has failed less often than it may, in the first run of all."""
    if not account.message.startswith("Startup probe"):
        return False
    probes = [each.startup_probe for each in dossier.pod.spec.all_containers]
    allowed = [each.failure_threshold for each in probes if each is not None]
    if not allowed or account.count >= max(allowed):
        return False
    statuses = dossier.pod.status.all_container_statuses
    return all(
        each.restart_count == 0 and each.state.terminated is None
        for each in statuses
        if each.name in {found.name for found in dossier.pod.spec.containers or ()}
    )


def _ready_since(dossier: Dossier) -> datetime | None:
    conditions = dossier.pod.status.conditions or ()
    ready = (each for each in conditions if (each.type, each.status) == ("Ready", "True"))
    return next((each.last_transition_time for each in ready), None)


def _conditions(dossier: Dossier) -> Iterator[Account]:
    """Of what was read beside the Pod: nodes, claims, autoscalers, controllers."""
    kinds = (
        "Node",
        "PersistentVolumeClaim",
        "HorizontalPodAutoscaler",
        "Deployment",
        "ReplicaSet",
        "StatefulSet",
        "DaemonSet",
        "Job",
        "APIService",
    )
    for manifest in objects(dossier, *kinds):
        if not _concerns(manifest, dossier):
            continue
        for each in rows(manifest, "status", "conditions"):
            type_, status = text(each, "type"), text(each, "status")
            if not _is_bad(type_, status):
                continue
            name, kind = name_of(manifest), text(manifest, "kind")
            yield Account(
                reason=text(each, "reason") or type_,
                message=text(each, "message"),
                kind=kind,
                name=name,
                warning=True,
                is_event=False,
                citations=dossier.about(kind, name),
            )


def _concerns(manifest: Fields, dossier: Dossier) -> bool:
    """Whether what fails stands on this object, or is it."""
    kind, name = text(manifest, "kind"), name_of(manifest)
    by, owner, upstream = dossier.shown_by, dossier.owner, None
    if dossier.symptom is not None:
        upstream = dossier.symptom.caused_by
    if (kind, name) in ((by.kind, by.name), (owner.kind, owner.name)):
        return True
    if upstream is not None and (kind, name) == (upstream.kind, upstream.name):
        return True
    if kind == "Node":
        return name == dossier.pod.spec.node_name
    if kind == "PersistentVolumeClaim":
        return name in claims_of(dossier)
    owners = dossier.pod.metadata.owner_references or ()
    return any((each.kind, each.name) == (kind, name) for each in owners)


def claims_of(dossier: Dossier) -> tuple[str, ...]:
    """The claims that the Pod's volumes name."""
    volumes = dossier.pod.spec.volumes or ()
    sources = (each.persistent_volume_claim for each in volumes)
    return tuple(source.claim_name for source in sources if source is not None)


def _is_bad(type_: str, status: str) -> bool:
    if type_ in _IGNORED:
        return False
    if _BAD_WHEN_TRUE.search(type_) is not None:
        return status == "True"
    if type_ == "Failed":
        return status == "True"
    return status in ("False", "Unknown") and type_ in {
        "Ready", "AbleToScale", "ScalingActive", "Progressing", "Available",
    }  # fmt: skip
