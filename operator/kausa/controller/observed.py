"""What the streams know around objects: Events by uid, nodes that are not ready, unbound claims.

Bounded by what exists, never by how many Events were seen. All of it can be lost: the lists of the
next process bring it back.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime

from kausa.cluster.objects import Meta, Pod
from kausa.detection.events import merge_notes
from kausa.detection.surroundings import NOWHERE, ClaimState, NodeState, Note, Surroundings

__all__ = ["Observed"]

MOST_OBJECTS = 10_000
"""Objects whose Warning Events are remembered, the last ones; each has a few notes, nearly always
of less than 1 KiB, 16 KiB at most."""
MOST_CLAIMS = 10_000
_NO_CLAIMS: Mapping[str, ClaimState] = {}


class Observed:
    """Answers what stands around an object, from memory, in a microsecond."""

    def __init__(self) -> None:
        self._notes: OrderedDict[str, tuple[Note, ...]] = OrderedDict()
        self._nodes: dict[str, NodeState] = {}
        self._claims: dict[str, dict[str, ClaimState]] = {}
        self._successes: dict[str, datetime] = {}
        self._claim_count = 0

    # -- taking in -------------------------------------------------------------------------------

    def note(self, note: Note) -> bool:
        """Remember what an Event says; True where it is news."""
        known = self._notes.pop(note.uid, ())
        merged = merge_notes(known, note)
        self._notes[note.uid] = merged
        while len(self._notes) > MOST_OBJECTS:
            self._notes.popitem(last=False)
        return merged != known

    def forget_notes(self, uid: str) -> None:
        """The object is gone."""
        self._notes.pop(uid, None)

    def node(self, state: NodeState) -> bool:
        """Remember how a node is doing; True where that is news."""
        known = self._nodes.pop(state.name, None)
        if not state.ready:
            self._nodes[state.name] = state
        return known != (None if state.ready else state)

    def forget_node(self, name: str) -> None:
        """The node is gone, with what its kubelet said of it by its name."""
        self._nodes.pop(name, None)
        self._notes.pop(name, None)

    def claim(self, *, namespace: str, name: str, state: ClaimState | None) -> bool:
        """Remember a claim that is not bound; None where it is bound or gone. True where that is
        news.
        """
        before = self._claims.get(namespace, _NO_CLAIMS).get(name)
        known = self._claims.get(namespace)
        if known is not None and known.pop(name, None) is not None:
            self._claim_count -= 1
            if not known:
                del self._claims[namespace]
        if state is not None and self._claim_count < MOST_CLAIMS:
            self._claims.setdefault(namespace, {})[name] = state
            self._claim_count += 1
        return state != before

    def success(self, uid: str, at: datetime | None) -> bool:
        """Remember when a CronJob's run succeeded last; True where that is news."""
        if at is None or self._successes.get(uid) == at:
            return False
        self._successes[uid] = at
        return True

    def forget_success(self, uid: str) -> None:
        """The CronJob is gone."""
        self._successes.pop(uid, None)

    # -- answering -------------------------------------------------------------------------------

    def sizes(self) -> dict[str, int]:
        """How much is known: objects with `notes`, `nodes` that are not ready, unbound `claims`."""
        return {
            "notes": len(self._notes),
            "nodes": len(self._nodes),
            "claims": self._claim_count,
        }

    def notes_of(self, uid: str) -> tuple[Note, ...]:
        """What Events say of an object, the oldest first."""
        return self._notes.get(uid, ())

    def around_pod(self, pod: Pod) -> Surroundings:
        """What stands around a Pod."""
        meta = pod.metadata
        notes = self._notes.get(meta.uid, ())
        node = self._nodes.get(pod.spec.node_name) if self._nodes else None
        claims = self._claims.get(meta.namespace) if self._claims else None
        if not notes and node is None and claims is None:
            return NOWHERE
        return Surroundings(notes=notes, node=node, unbound_claims=claims or _NO_CLAIMS)

    def around(self, meta: Meta, *, failing_pods: int = 0) -> Surroundings:
        """What stands around any other object."""
        notes = self._notes.get(meta.uid, ())
        if not meta.namespace and meta.name in self._notes:
            # A kubelet calls its node by its name, where others write the uid.
            notes = (*notes, *self._notes[meta.name])
        owners = (each.uid for each in meta.owner_references or ())
        successes = (self._successes[uid] for uid in owners if uid in self._successes)
        succeeded = max(successes, default=None)
        if not notes and not failing_pods and succeeded is None:
            return NOWHERE
        return Surroundings(notes=notes, failing_pods=failing_pods, owner_succeeded_at=succeeded)
