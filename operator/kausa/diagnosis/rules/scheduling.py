"""Pods that no node takes: the scheduler says for each group of nodes what keeps the Pod away.

Its words are read from the condition and from every Event, for the reasons may change from one
attempt to the next; beside each stands what the Pod asks for and what the nodes have.
"""

from __future__ import annotations

from kausa.diagnosis.finding import Finding
from kausa.diagnosis.rules.accounts import Account, events, is_well, warnings
from kausa.diagnosis.rules.scheduling_clauses import Clause, Verdict, is_of_volumes, read_verdict
from kausa.diagnosis.rules.scheduling_needs import Needs, needs_of
from kausa.diagnosis.rules.scheduling_words import FIXES, Advice, in_words
from kausa.diagnosis.rules.telling import citing, listed, subject, tell_finding
from kausa.diagnosis.rules.wording import clip, plural
from kausa.evidence.dossier import Dossier
from kausa.resources.category import Category
from kausa.resources.evidence import EvidenceKind

__all__ = ["no_node_could_fit", "no_node_fits"]

FAILED = "FailedScheduling"
_UNPLACED = frozenset({"", "Pending"})
_AUTOSCALER = frozenset({"NotTriggerScaleUp", "NoScaleUp"})
WAITS = (
    "The scheduler tries again whenever a node or a Pod changes; the Pod waits until a node offers "
    "all that it asks for."
)


def no_node_fits(dossier: Dossier) -> Finding | None:
    """No node takes the Pod; says what is lacking, what the Pod asks for and what nodes have."""
    symptom = dossier.symptom
    if symptom is not None and symptom.reason == "SchedulingGated":
        return None
    told = _messages(dossier)
    if not told:
        return None
    verdicts = [read_verdict(message) for message in told]
    verdict = verdicts[-1]
    if not verdict.clauses:
        return _unknown(dossier, told[-1])
    if is_of_volumes(verdict):
        return _of_volumes(dossier, verdict)
    needs = needs_of(dossier)
    reasons = "; ".join(in_words(each, needs) for each in verdict.clauses)
    before = _before(verdicts, needs)
    nodes = f"none of {plural(verdict.nodes, 'node')}" if verdict.nodes else "no node"
    advice = FIXES.get(verdict.clauses[0].key, Advice())
    return tell_finding(
        dossier,
        rule="scheduling.no-node-fits",
        category=Category.SCHEDULING,
        summary=f"{nodes} fits: {reasons}",
        cause=f"The Pod waits; {nodes} fits: {reasons}.{before}{_afterwards(verdict, dossier)}",
        why=WAITS,
        fix=advice.title.format(resources=_resources(verdict)),
        command=advice.command,
        confidence=93,
        citations=_citations(dossier),
    )


def no_node_could_fit(dossier: Dossier) -> Finding | None:
    """Nobody says so, and no node that was read has what the Pod asks for."""
    pod = dossier.pod
    if not dossier.has_pod or pod.status.phase not in _UNPLACED or pod.spec.node_name:
        return None
    needs = needs_of(dossier)
    if not needs.nodes or _messages(dossier):
        return None
    key, words = _lack(needs)
    if not key:
        return None
    advice = FIXES.get(key, Advice())
    return tell_finding(
        dossier,
        rule="scheduling.no-node-could-fit",
        category=Category.SCHEDULING,
        summary=f"no node fits {subject(dossier)}: {words}",
        cause=f"The Pod waits for a node, and none of {plural(len(needs.nodes), 'node')} that were "
        f"read fits: {words}",
        why=WAITS,
        fix=advice.title.format(resources="resources"),
        command=advice.command,
        confidence=80,
        citations=_citations(dossier),
    )


def _lack(needs: Needs) -> tuple[str, str]:
    """The first thing that no node has, and it in words; empty where any may fit."""
    if needs.demands and not any(needs.fits_labels(each) for each in needs.nodes):
        return "selector", in_words(Clause(key="selector", count=None, words=""), needs)
    cordoned = needs.cordoned()
    if cordoned and len(cordoned) == len(needs.nodes):
        return "cordoned", in_words(Clause(key="cordoned", count=None, words=""), needs)
    for resource in ("cpu", "memory", "nvidia.com/gpu", "ephemeral-storage"):
        if needs.too_small(resource):
            clause = Clause(key="insufficient", count=None, words="", named={"resource": resource})
            return "insufficient", in_words(clause, needs)
    return "", ""


def _messages(dossier: Dossier) -> tuple[str, ...]:
    """What the scheduler said, each thing once, the latest last."""
    symptom = dossier.symptom
    if is_well(dossier):
        return ()
    said = [each.message for each in warnings(dossier) if _is_of_scheduler(each, dossier)]
    if symptom is not None and symptom.category is Category.SCHEDULING and symptom.message:
        said.append(symptom.message)
    elif symptom is None:
        said.extend(_of_condition(dossier))
    latest_first = dict.fromkeys(" ".join(each.split()) for each in reversed(said))
    return tuple(reversed(latest_first))


def _is_of_scheduler(account: Account, dossier: Dossier) -> bool:
    return (
        account.reason == FAILED
        and account.kind == "Pod"
        and account.name in ("", dossier.pod.metadata.name)
    )


def _of_condition(dossier: Dossier) -> list[str]:
    if dossier.pod.status.phase not in _UNPLACED:
        return []
    return [
        each.message
        for each in dossier.pod.status.conditions or ()
        if each.type == "PodScheduled" and each.status != "True" and each.reason == "Unschedulable"
    ]


def _before(verdicts: list[Verdict], needs: Needs) -> str:
    """What was said in other attempts, where the reasons change."""
    last = set(verdicts[-1].keys)
    named = {_reason(each) for each in verdicts[-1].clauses}
    others = [
        in_words(clause, needs)
        for verdict in verdicts[:-1]
        for clause in verdict.clauses
        if clause.key not in last or _reason(clause) not in named
    ]
    if not others:
        return ""
    return f" The reasons alternate from attempt to attempt; at other times: {listed(others)}."


def _reason(clause: Clause) -> tuple[str, str]:
    return clause.key, clause.named.get("resource", clause.named.get("key", ""))


def _afterwards(verdict: Verdict, dossier: Dossier) -> str:
    """What else was tried: other Pods' places, a new node."""
    words = (
        ""
        if verdict.preemption_helps
        else " Preemption is not helpful: ending others makes no room."
    )
    refusal = next((each for each in events(dossier) if each.reason in _AUTOSCALER), None)
    if refusal is not None:
        words += f" The cluster autoscaler adds no node: {clip(refusal.message, characters=140)}"
    return words


def _of_volumes(dossier: Dossier, verdict: Verdict) -> Finding:
    clause = verdict.clauses[0]
    needs = needs_of(dossier)
    vague = clause.key == "unbound"
    advice = FIXES.get(clause.key, Advice())
    return tell_finding(
        dossier,
        rule=f"volume.{clause.key}",
        category=Category.VOLUME,
        summary=f"{subject(dossier)} waits for a volume: {in_words(clause, needs)}",
        cause=f"The Pod is not scheduled because of its volumes: {in_words(clause, needs)}",
        why="The scheduler places a Pod only where its volumes can be, and not before its claims "
        "are bound.",
        fix=advice.title,
        command=advice.command,
        confidence=66 if vague else 88,
        citations=_citations(dossier),
    )


def _unknown(dossier: Dossier, message: str) -> Finding:
    return tell_finding(
        dossier,
        rule="scheduling.other",
        category=Category.SCHEDULING,
        summary=f"no node takes the Pod: {clip(message, characters=160)}",
        cause=f"The scheduler finds no node: {message}",
        why="The scheduler's message has a shape that is not known here.",
        fix="Compare what the Pod asks for with what the nodes offer",
        command="kubectl describe nodes",
        confidence=60,
        citations=_citations(dossier),
    )


def _resources(verdict: Verdict) -> str:
    lacking = sorted(
        {each.named["resource"] for each in verdict.clauses if "resource" in each.named}
    )
    return " and ".join(lacking) or "resources"


def _citations(dossier: Dossier) -> tuple[str, ...]:
    return (
        *dossier.cite(EvidenceKind.STATUS, containing="PodScheduled"),
        *dossier.cite(EvidenceKind.EVENT, containing=FAILED),
        *dossier.cite(EvidenceKind.NODE)[:2],
        *dossier.cite(EvidenceKind.SPEC)[:2],
    ) or citing(dossier)
