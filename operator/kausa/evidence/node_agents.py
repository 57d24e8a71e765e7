"""Agents of a node: the Pods of the network plugin, of kube-proxy and of storage drivers on it.

A Pod that gets no network or no volume tells what the agent of its node answered, and an agent that
does not run answers nothing. They are looked for only where the failure is of such a kind, for it
costs a list of the node's Pods.
"""

from __future__ import annotations

import asyncio
import re

from kausa.cluster.objects import ObjectReference, Pod
from kausa.evidence.around import Around
from kausa.evidence.dossier import Evidence, Source
from kausa.evidence.events import fold_events
from kausa.evidence.inquiry import Inquiry
from kausa.evidence.reading import Reading
from kausa.evidence.siblings import WELL, state_of
from kausa.resources.category import Category
from kausa.resources.evidence import EvidenceKind

__all__ = [
    "NETWORK_AGENTS",
    "STORAGE_AGENTS",
    "about_pods",
    "agents_wanted",
    "gather_node_agents",
]

MOST_AGENTS = 4
MOST_EVENTS = 3
NETWORK_AGENTS = re.compile(
    r"^(?:antrea-agent|aws-node|azure-(?:cni|cns|vnet|npm)|calico-node|canal|cilium|flannel|"
    r"ip-masq-agent|kindnet|kube-flannel|kube-multus|kube-ovn|kube-proxy|kube-router|multus|"
    r"netd|ovnkube-node|ovs|sdn|terway|weave)",
)
STORAGE_AGENTS = re.compile(
    r"csi|longhorn-manager|instance-manager|portworx|openebs|^rook-|^linstor|^local-path"
)
"""Names of the Pods that each node has of a network plugin, or of a storage driver."""
_WANTED = {
    Category.NETWORK: NETWORK_AGENTS,
    Category.SANDBOX: NETWORK_AGENTS,
    Category.NODE: NETWORK_AGENTS,
    Category.VOLUME: STORAGE_AGENTS,
    Category.STORAGE: STORAGE_AGENTS,
}
_ASKS_AN_AGENT = re.compile(
    r"sandbox|network|cni|csi|driver name|registered|plugin|socket|connection refused|timed? ?out|"
    r"Attach|Mount",
    re.I,
)
_OF_SYSTEM = re.compile(
    r"-system$|^(?:openshift-|cattle-|rook-)|^(?:cilium|kube-flannel|flannel|multus|portworx|"
    r"openebs|longhorn|weave|canal)$"
)


async def gather_node_agents(inquiry: Inquiry) -> Reading:
    """Each agent on the node that may be behind it, with what is warned of those that fail."""
    wanted = agents_wanted(inquiry)
    node = _node(inquiry)
    if wanted is None or not node:
        return Reading()
    around = Around(inquiry=inquiry)
    agents = [
        each
        for each in await around.pods(namespace="", node=node) or ()
        if each.spec.node_name == node
        and wanted.search(each.metadata.name)
        and _is_of_system(each)
        and each.metadata.uid != inquiry.pod.metadata.uid
    ]
    return await about_pods(around, agents)


def agents_wanted(inquiry: Inquiry) -> re.Pattern[str] | None:
    """The names of agents that might be behind it; None where none would be."""
    symptom = inquiry.symptom
    if symptom is None or symptom.container:
        return None
    found = _WANTED.get(symptom.category)
    if found is None:
        return None
    return found if _ASKS_AN_AGENT.search(f"{symptom.reason} {symptom.message}") else None


async def about_pods(around: Around, pods: list[Pod]) -> Reading:
    """How Pods of other namespaces are, those that fail first; with the warnings about these."""
    raw = await asyncio.gather(
        *(
            around.one("Pod", each.metadata.name, namespace=each.metadata.namespace)
            for each in pods[: 2 * MOST_AGENTS]
        )
    )
    states = [
        (each, manifest, state_of(manifest))
        for each, manifest in zip(pods, raw, strict=False)
        if manifest is not None
    ]
    states.sort(key=lambda each: each[2] in (WELL, "completed"))
    chosen = states[:MOST_AGENTS]
    failing = [each for each, _, state in chosen if state not in (WELL, "completed")]
    warned = await asyncio.gather(*(_warnings(around, each) for each in failing))
    told = tuple(
        Evidence(
            kind=EvidenceKind.OTHER,
            source=Source(kind="Pod", name=each.metadata.name, field_path="status"),
            text=f"Pod {each.metadata.name} of namespace {each.metadata.namespace}"
            + (f" on node {each.spec.node_name}" if each.spec.node_name else "")
            + f": {state}",
        )
        for each, _, state in chosen
    )
    return Reading(
        evidence=(*told, *(each for found in warned for each in found)),
        manifests=tuple(manifest for _, manifest, _ in chosen),
    )


async def _warnings(around: Around, pod: Pod) -> tuple[Evidence, ...]:
    meta = pod.metadata
    events = await around.events(namespace=meta.namespace, uid=meta.uid)
    about = ObjectReference(
        api_version="v1", kind="Pod", namespace=meta.namespace, name=meta.name, uid=meta.uid
    )
    return fold_events((each for each in events if each.type == "Warning"), about=about)[
        -MOST_EVENTS:
    ]


def _node(inquiry: Inquiry) -> str:
    shown = inquiry.shown_by
    return shown.name if shown.kind == "Node" else inquiry.pod.spec.node_name


def _is_of_system(pod: Pod) -> bool:
    if _OF_SYSTEM.search(pod.metadata.namespace):
        return True
    return any(each.kind == "DaemonSet" for each in pod.metadata.owner_references or ())
