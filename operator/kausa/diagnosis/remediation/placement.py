"""A node selector that no node answers."""

from __future__ import annotations

from collections.abc import Iterator

from kausa.diagnosis.finding import Diagnosis, Fix
from kausa.diagnosis.remediation.workload import Workload
from kausa.evidence.dossier import Dossier
from kausa.evidence.fields import labels_of, name_of, table
from kausa.resources.diagnosis import Risk

__all__ = ["place_anywhere"]


def place_anywhere(dossier: Dossier, diagnosis: Diagnosis, workload: Workload) -> Iterator[Fix]:
    """Without the labels that no node has.

    Only where the scheduler says that it is the selector; and never a toleration, for a taint was
    put there by somebody who wants this node left alone.
    """
    said = " ".join(each.text for each in dossier.evidence if "node affinity/selector" in each.text)
    nodes = tuple(dossier.objects("Node"))
    if not said or not nodes:
        return
    wanted = table(workload.template, "spec", "nodeSelector")
    nowhere = {
        str(key): str(value)
        for key, value in wanted.items()
        if not any(labels_of(node).get(str(key)) == value for node in nodes)
    }
    if not nowhere:
        return
    labels = ", ".join(f"{key}={value}" for key, value in sorted(nowhere.items()))
    label = sorted(f"{key}={value}" for key, value in nowhere.items())[0]
    yield Fix(
        title=f"Stop asking for nodes with {labels}",
        rationale=f"No node that was looked at has this label. If it needs such a node, label one: "
        f"kubectl label node {name_of(nodes[0])} {label}",
        patch=workload.patch({"spec": {"nodeSelector": dict.fromkeys(nowhere)}}),
        risk=Risk.MEDIUM,
        citations=diagnosis.citations,
    )
