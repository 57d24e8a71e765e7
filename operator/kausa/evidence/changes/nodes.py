"""What changed about the node of a Pod, as far as a node tells: it keeps no history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kausa.evidence.changes.difference import Difference
from kausa.evidence.changes.managed import created
from kausa.evidence.changes.window import Window
from kausa.evidence.fields import moment, name_of, rows, text
from kausa.evidence.selecting import taint_in_words

__all__ = ["node_changes"]


def node_changes(node: Mapping[str, Any], *, window: Window) -> Iterator[Difference]:
    """Conditions that turned, taints that came, and a node that is new."""
    name = name_of(node)
    if window.just_before(created(node)):
        said = f"Node {name} was added to the cluster"
        yield _told(name, said, at=created(node), after="added to the cluster")
        return
    for condition in rows(node, "status", "conditions"):
        turned = moment(condition, "lastTransitionTime")
        type_, status = text(condition, "type"), text(condition, "status")
        if not window.just_before(turned) or (type_ != "Ready" and status != "True"):
            continue
        reason = text(condition, "reason")
        because = f" ({reason})" if reason else ""
        if type_ != "Ready":
            said = f"Node {name} got the condition {type_}{because}"
        elif status == "True":
            said = f"Node {name} became ready again{because}"
        else:
            said = f"Node {name} stopped being ready{because}"
        yield _told(
            name,
            said,
            at=turned,
            path=f"status.conditions[{type_}]",
            after=status,
            before="False" if status == "True" else "True",
        )
    for taint in rows(node, "spec", "taints"):
        added = moment(taint, "timeAdded")
        if not window.just_before(added):
            continue
        words = taint_in_words(taint)
        if text(taint, "key") == "node.kubernetes.io/unschedulable":
            said = f"Node {name} was cordoned"
        else:
            said = f"Node {name} got the taint {words}"
        yield _told(name, said, at=added, path=f"spec.taints[{text(taint, 'key')}]", after=words)


def _told(
    name: str,
    said: str,
    *,
    at: Any,
    path: str = "",
    before: str | None = None,
    after: str | None = None,
) -> Difference:
    return Difference(
        kind="Node",
        name=name,
        path=path,
        before=before,
        after=after,
        told=said,
        citation=said.partition(" (")[0],
        at=at,
    )
