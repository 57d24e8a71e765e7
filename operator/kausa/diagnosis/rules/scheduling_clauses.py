"""The scheduler's message taken apart: each reason why nodes are left out, and of how many nodes.

Its shape has changed over the versions, and clauses hold commas themselves; so each clause is known
by its own words, wherever it stands, and what is said after `preemption:` is not a reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

__all__ = ["Clause", "Verdict", "is_of_volumes", "read_verdict"]

LONGEST_READ = 4096
MOST_CLAUSES = 12
_NODES = re.compile(r"(?P<fit>\d{1,9})/(?P<all>\d{1,9}) nodes? (?:are|is|available)", re.I)
_PREEMPTION = re.compile(r"[.,;]? ?(?:preemption: |preemption is not helpful)", re.I)
_COUNT = r"(?:(?P<count>\d{1,9}) )?(?:node\(s\) )?"

# Of two that begin at the same place the first decides.
_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (key, re.compile(_COUNT + words, re.I))
    for key, words in (
        ("overhead", r"insufficient (?P<resource>[\w./-]{1,253}) including pod overhead"),
        ("insufficient", r"(?:had |have )?insufficient (?P<resource>[\w./-]{1,253}\w)"),
        ("too-many-pods", r"too many pods"),
        (
            "taint",
            r"(?:had |have )?(?:an? )?(?:untolerated )?taints?\(?s?\)? "
            r"\{(?P<key>[^:}\s]{1,316})(?:: ?(?P<value>[^}]{0,63}))?\}",
        ),
        ("taint", r"(?:had |have )(?:untolerated )?taint\(?s?\)?(?P<key>)(?P<value>)"),
        (
            "selector",
            r"(?:didn't|did not|don't) match (?:the )?(?:Pod's )?(?:scheduler-enforced )?node "
            r"(?:affinity/selector|selector|affinity)|MatchNodeSelector",
        ),
        ("node-name", r"didn't match the requested (?:node ?name|hostname)"),
        (
            "spread-label",
            r"[^,.:\d]{0,60}topology spread constraints?(?: \(missing required "
            r"label\)|[^,]{0,80}label "
            r"(?P<label>[\w./-]{1,253})[^,]{0,20}missing)",
        ),
        ("spread", r"[^,.:\d]{0,60}topology spread constraints?"),
        ("anti-affinity-of-others", r"didn't satisfy existing pods'? anti-affinity rules"),
        ("anti-affinity", r"(?:didn't match |violates? )?pod anti-affinity(?: rules?)?"),
        (
            "pod-affinity",
            r"(?:didn't match |nodes? match )?pod affinity(?:/anti-affinity)?(?: rules?)?",
        ),
        ("ports", r"didn't have free ports for the requested pod ports|PodFitsHostPorts"),
        ("cordoned", r"(?:were |was |nodes are )unschedulable"),
        ("volume-affinity", r"had volume node affinity conflict"),
        ("volume-zone", r"had no available volume zone"),
        ("volume-none", r"didn't find available persistent volumes to bind"),
        ("volume-count", r"exceed(?:ed)? max volume count"),
        ("volume-space", r"did(?:n't| not) have enough free storage"),
        ("volume-gone", r"unavailable due to one or more pvc\(s\) bound to non-existent pv\(s\)"),
        ("volume-in-use", r"[^,.:\d]{0,60}ReadWriteOncePod(?: access mode)?"),
        ("unbound", r"(?:pod has )?unbound (?:immediate )?PersistentVolumeClaims?"),
        ("claim", r'persistentvolumeclaim "(?P<claim>[^"]{1,253})" (?P<then>not found|is being)'),
        (
            "pressure",
            r"(?:NodeUnder|had |were under )(?P<pressure>Memory|Disk|PID) ?Pressure|"
            r"[^,.:\d]{0,60}node (?P<short>memory|disk|pid) pressure",
        ),
        ("not-ready", r"(?:NodeNotReady|were not ready|had unknown conditions)"),
        (
            "extender",
            r"[^,.:\d]{0,60}?\bextender\b ?\"?(?P<extender>[\w./:-]{0,200})\"?(?:[:,]? "
            r"(?P<why>[^,]{1,200}))?",
        ),
        ("devices", r"cannot allocate all claims|[^,.:\d]{0,40}resourceclaim[^,]{0,120}"),
        ("no-nodes", r"no nodes available to schedule pods"),
    )
)
_OF_VOLUMES = frozenset(
    {
        "volume-affinity", "volume-zone", "volume-none", "volume-count", "volume-space",
        "volume-gone", "volume-in-use", "unbound", "claim",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One reason, of how many nodes, and what it names."""

    key: str
    count: int | None
    """None: of all, or not said."""
    words: str
    """As the scheduler put it, without the number."""
    named: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One message of the scheduler."""

    nodes: int | None
    clauses: tuple[Clause, ...]
    preemption_helps: bool = True
    """False where the scheduler says that ending other Pods would not make room."""

    @property
    def keys(self) -> tuple[str, ...]:
        """What kinds of reasons there are, in their order."""
        return tuple(dict.fromkeys(each.key for each in self.clauses))


def read_verdict(message: str) -> Verdict:
    """The reasons in a message, in the order in which they stand; none where none is known."""
    message = message[:LONGEST_READ]
    head = _PREEMPTION.split(message, maxsplit=1)[0]
    found: list[tuple[int, int, Clause]] = []
    for key, pattern in _SHAPES:
        for match in pattern.finditer(head):
            found.append((match.start(), match.end(), _clause(key, match)))
    found.sort(key=lambda each: each[0])
    kept: list[Clause] = []
    end = 0
    for start, stop, clause in found:
        if start >= end:
            kept.append(clause)
            end = stop
    counted = _NODES.search(message)
    return Verdict(
        nodes=int(counted["all"]) if counted is not None else None,
        clauses=tuple(kept[:MOST_CLAUSES]),
        preemption_helps="preemption is not helpful" not in message.lower(),
    )


def is_of_volumes(verdict: Verdict) -> bool:
    """Whether the Pod waits for volumes and not for a node."""
    return bool(verdict.clauses) and all(each.key in _OF_VOLUMES for each in verdict.clauses)


def _clause(key: str, match: re.Match[str]) -> Clause:
    named = {name: value for name, value in match.groupdict().items() if value}
    count = named.pop("count", None)
    words = match[0].removeprefix(f"{count} ") if count else match[0]
    return Clause(
        key=key,
        count=int(count) if count else None,
        words=words.removeprefix("node(s) ").strip(),
        named=named,
    )
