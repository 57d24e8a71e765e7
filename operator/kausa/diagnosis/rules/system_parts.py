"""Parts of the cluster itself that fail: Pods of the control plane, network plugins of nodes.

What fails elsewhere often follows from them, so they are named beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kausa.diagnosis.finding import Finding
from kausa.diagnosis.rules.accounts import Account, is_well, warnings
from kausa.diagnosis.rules.facts import Fields, namespace, objects, pod_labels
from kausa.diagnosis.rules.telling import citing, listed, shortened, subject, tell_finding
from kausa.diagnosis.rules.wording import clip, plural
from kausa.evidence.dossier import Dossier
from kausa.evidence.fields import labels_of, name_of, rows, text
from kausa.evidence.node_agents import NETWORK_AGENTS, STORAGE_AGENTS
from kausa.resources.category import Category

__all__ = ["control_plane_part_fails", "network_agent_fails", "storage_agent_fails"]

_PARTS = {
    "kube-apiserver": "the Kubernetes API server",
    "kube-controller-manager": "the controller manager",
    "kube-scheduler": "the scheduler",
    "cloud-controller-manager": "the cloud controller manager",
    "etcd": "etcd",
}
_OF_NETWORK = frozenset({Category.SANDBOX, Category.NETWORK})
_OF_STORAGE = frozenset({Category.VOLUME, Category.STORAGE})


def control_plane_part_fails(dossier: Dossier) -> Finding | None:
    """A Pod of the control plane that does not run, with what it or its kubelet says."""
    part = _part(dossier)
    if part is None or is_well(dossier):
        return None
    told = [each for each in warnings(dossier) if each.kind == "Pod" and each.message]
    own = [each for each in told if each.name == dossier.pod.metadata.name]
    decisive = _decisive(own)
    status = next(iter(dossier.pod.status.container_statuses or ()), None)
    if decisive is None or (status is not None and status.ready):
        return None
    name = dossier.pod.metadata.name
    how = ""
    if status is not None:
        waiting = status.state.waiting.reason if status.state.waiting else "not ready"
        how = f" ({waiting}, {plural(status.restart_count, 'restart')})"
    others = listed(_others(dossier))
    return tell_finding(
        dossier,
        rule="control-plane.part-fails",
        category=Category.CONTROL_PLANE,
        summary=f"{_PARTS[part]} ({name}) is unavailable: {clip(decisive.message, characters=120)}",
        cause=f"{part} on Pod {name} does not work{how}: {clip(decisive.message, characters=280)}"
        + (f". With it fail {others}" if others else ""),
        why="While a part of the control plane is down nothing in the cluster is created, "
        "scheduled or healed; Pods that run go on.",
        fix=f"Read the log of {part} on its node: certificates, etcd, flags and disk are usual "
        f"causes",
        command=f"kubectl -n {namespace(dossier)} logs {name} --previous",
        confidence=95,
        citations=decisive.citations,
    )


def _part(dossier: Dossier) -> str | None:
    name = dossier.pod.metadata.name
    component = pod_labels(dossier).get("component", "")
    if component in _PARTS:
        return component
    if namespace(dossier) != "kube-system":
        return None
    return next((each for each in _PARTS if name.startswith(f"{each}-")), None)


def _decisive(told: list[Account]) -> Account | None:
    plain = [each for each in told if each.reason != "BackOff"]
    return next((each for each in plain if "refused" in each.message or "lease" in each.message),
                plain[0] if plain else None)  # fmt: skip


def _others(dossier: Dossier) -> Iterator[str]:
    mine = dossier.pod.metadata.name
    for each in objects(dossier, "Pod"):
        component = labels_of(each).get("component", "")
        if component in _PARTS and name_of(each) != mine and _reason(each):
            yield component


def network_agent_fails(dossier: Dossier) -> Finding | None:
    """The network plugin's own Pod on the node of a Pod that gets no network."""
    told = [each for each in warnings(dossier) if "sandbox" in each.reason.lower()]
    if not told and not _is_of(dossier, _OF_NETWORK):
        return None
    agent = _failing_agent(dossier, NETWORK_AGENTS)
    if agent is None:
        return None
    is_proxy = agent.name.startswith("kube-proxy")
    what = "kube-proxy" if is_proxy else "the network plugin (CNI)"
    then = (
        f"Services cannot be reached from node {agent.node}, because {agent.told}"
        if is_proxy
        else f"Pods on node {agent.node} get no network, because the CNI Pod {agent.told}. "
        f"So {subject(dossier)} has no sandbox"
    )
    return tell_finding(
        dossier,
        rule="network.agent-fails",
        category=Category.NETWORK,
        summary=f"{what} of node {agent.node} fails: {agent.container} of Pod {agent.name}",
        cause=then,
        why="The network plugin's DaemonSet writes the CNI configuration of each node, and "
        "kube-proxy the rules that lead to Services.",
        fix=f"Mend Pod {agent.name}; the kubelet then tries again by itself",
        command=f"kubectl -n {agent.namespace} describe pod {agent.name}",
        confidence=97 if not is_proxy else 88,
        citations=[*agent.citations, *(id_ for each in told for id_ in each.citations)],
    )


def storage_agent_fails(dossier: Dossier) -> Finding | None:
    """The storage driver's own Pod on the node of a Pod that gets no volume."""
    if not _is_of(dossier, _OF_STORAGE) or is_well(dossier):
        return None
    agent = _failing_agent(dossier, STORAGE_AGENTS)
    if agent is None:
        return None
    said = dossier.symptom.message if dossier.symptom is not None else ""
    return tell_finding(
        dossier,
        rule="storage.agent-fails",
        category=Category.STORAGE,
        summary=f"the storage driver (CSI) of node {agent.node} fails: {agent.container} of Pod "
        f"{agent.name}",
        cause=f"Volumes cannot be mounted on node {agent.node}, because the CSI Pod {agent.told}. "
        f"So {subject(dossier)} has no volume"
        + (f": {shortened(said, characters=150)}" if said else ""),
        why="A CSI driver's DaemonSet mounts volumes on each node for the kubelet.",
        fix=f"Mend Pod {agent.name}; the kubelet then tries again by itself",
        command=f"kubectl -n {agent.namespace} describe pod {agent.name}",
        confidence=94,
        citations=agent.citations,
    )


def _is_of(dossier: Dossier, categories: frozenset[Category]) -> bool:
    symptom = dossier.symptom
    return symptom is not None and symptom.container is None and symptom.category in categories


@dataclass(frozen=True, slots=True, kw_only=True)
class _Agent:
    """A Pod of a DaemonSet of the system that fails on one node."""

    name: str
    namespace: str
    node: str
    container: str
    """`init container install-cni`."""
    told: str
    """What it does, from its name on."""
    citations: tuple[str, ...]


def _failing_agent(dossier: Dossier, names: re.Pattern[str]) -> _Agent | None:
    node = dossier.pod.spec.node_name
    mine = dossier.pod.metadata.name
    for pod in objects(dossier, "Pod"):
        name = name_of(pod)
        if name == mine or not names.search(name) or text(pod, "spec", "nodeName") != node:
            continue
        failing = _failing(pod)
        if failing is None:
            continue
        container, init, how = failing
        kind = "init container" if init else "container"
        own = [each for each in warnings(dossier) if each.name == name and each.reason != "BackOff"]
        said = how or (own[0].message if own else "")
        return _Agent(
            name=name,
            namespace=text(pod, "metadata", "namespace") or "kube-system",
            node=node,
            container=f"{kind} {container}",
            told=f"{name} does not start: its {kind} {container} failed"
            + (f": {shortened(said, characters=200)}" if said else ""),
            citations=(
                *citing(dossier, ("Pod", name)),
                *(id_ for each in own for id_ in each.citations),
            ),
        )
    return None


def _failing(pod: Fields) -> tuple[str, bool, str] | None:
    """The container that fails, whether it is an init container, and its last words."""
    for field, init in (("initContainerStatuses", True), ("containerStatuses", False)):
        for status in rows(pod, "status", field):
            ended = text(status, "lastState", "terminated", "reason")
            waiting = text(status, "state", "waiting", "reason")
            if waiting in ("CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull") or (
                ended == "Error" and status.get("ready") is not True
            ):
                return (
                    text(status, "name"),
                    init,
                    text(status, "lastState", "terminated", "message"),
                )
    return None


def _reason(pod: Fields) -> str:
    statuses = rows(pod, "status", "containerStatuses")
    waiting = (text(each, "state", "waiting", "reason") for each in statuses)
    return next((each for each in waiting if each), "")
