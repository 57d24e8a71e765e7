"""Failures of which Kubernetes states the cause itself: it is read, and said with its names.

Read are the symptom, every warning of what was gathered, and bad conditions. The surest statement
wins, and of two that are as sure the earlier one, for what came later follows from it. What no
message says is not guessed: where it names nothing that is known here, the answer repeats it with
the confidence of a description.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kausa.detection.symptom import Symptom
from kausa.diagnosis.finding import Finding, Fix
from kausa.diagnosis.rules.accounts import (
    LONGEST_READ,
    Account,
    accounts,
    creation_succeeded,
    is_well,
    warnings,
)
from kausa.diagnosis.rules.event_reasons import (
    category_of_warning,
    category_of_words,
    is_of_kubernetes,
    is_only_an_echo,
)
from kausa.diagnosis.rules.facts import pod_spec
from kausa.diagnosis.rules.layers import BESIDE, at_most_beside, within_container
from kausa.diagnosis.rules.stated_claims import CLAIM_STATEMENTS
from kausa.diagnosis.rules.stated_control_plane import CONTROL_PLANE_STATEMENTS
from kausa.diagnosis.rules.stated_jobs import JOB_STATEMENTS
from kausa.diagnosis.rules.stated_networks import NETWORK_STATEMENTS
from kausa.diagnosis.rules.stated_nodes import NODE_STATEMENTS
from kausa.diagnosis.rules.stated_objections import OBJECTION_STATEMENTS
from kausa.diagnosis.rules.stated_permissions import PERMISSION_STATEMENTS
from kausa.diagnosis.rules.stated_probes import PROBE_STATEMENTS
from kausa.diagnosis.rules.stated_refusals import REFUSAL_STATEMENTS
from kausa.diagnosis.rules.stated_sandboxes import SANDBOX_STATEMENTS
from kausa.diagnosis.rules.stated_scaling import SCALING_STATEMENTS
from kausa.diagnosis.rules.stated_volumes import VOLUME_STATEMENTS
from kausa.diagnosis.rules.stated_workloads import WORKLOAD_STATEMENTS
from kausa.diagnosis.rules.statement import Statement, tell
from kausa.diagnosis.rules.telling import (
    LONGEST_CAUSE,
    LONGEST_SUMMARY,
    citing,
    shortened,
    subject,
)
from kausa.diagnosis.rules.wording import clip
from kausa.evidence.dossier import Dossier
from kausa.evidence.fields import text
from kausa.resources.category import Category
from kausa.resources.evidence import EvidenceKind

__all__ = ["STATEMENTS", "kubernetes_states_it"]

# The first that matches a text decides: from what names the cause to what hints at it.
STATEMENTS: tuple[Statement, ...] = (
    *OBJECTION_STATEMENTS,
    *REFUSAL_STATEMENTS,
    *PERMISSION_STATEMENTS,
    *VOLUME_STATEMENTS,
    *CLAIM_STATEMENTS,
    *SANDBOX_STATEMENTS,
    *NETWORK_STATEMENTS,
    *NODE_STATEMENTS,
    *SCALING_STATEMENTS,
    *CONTROL_PLANE_STATEMENTS,
    *PROBE_STATEMENTS,
    *JOB_STATEMENTS,
    *WORKLOAD_STATEMENTS,
)
_SPOKEN_OF = frozenset(
    {
        Category.QUOTA, Category.ADMISSION, Category.PERMISSION, Category.CONTROL_PLANE,
        Category.VOLUME, Category.STORAGE, Category.CONFIG, Category.SANDBOX, Category.NETWORK,
        Category.EVICTION, Category.NODE, Category.PROBE, Category.JOB, Category.ROLLOUT,
        Category.AUTOSCALING, Category.SERVICE, Category.OTHER,
    }
)  # fmt: skip
DESCRIPTION = 60
"""Kubernetes' words repeated: what is seen, and perhaps not why."""
ECHO = 52
"""The same of words that hardly ever say why."""
OF_ANYBODY = 70
"""Words of a warning whose reason is none of Kubernetes': whose they are is not known."""
OF_A_NEIGHBOUR = 25
"""How much less sure it is that another Pod's trouble is the cause."""
_HARMLESS = re.compile(r"[\w./:=,@ -]*")
_LOWERED = frozenset({"probe", "step"})
LONGEST_WORD = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _Match:
    """A statement, the words that it was known by, and who said them."""

    statement: Statement
    found: re.Match[str]
    account: Account | None
    """None: the symptom itself."""
    confidence: int


def kubernetes_states_it(dossier: Dossier) -> Finding | None:
    """What Kubernetes says in its status or Events, where that is the cause."""
    symptom = dossier.symptom
    if symptom is not None and symptom.category is Category.CONFIG and symptom.container:
        # What the kubelet says of one container's configuration has rules of its own.
        return None if symptom.message else _only_heard(dossier)
    over = creation_succeeded(dossier)
    of_symptom = _in_symptom(symptom) if symptom is not None and not over else None
    heard = max(_in_accounts(dossier), key=lambda each: each.confidence, default=None)
    best = of_symptom
    if heard is not None and _is_better(heard, of_symptom):
        best = heard
    if best is not None:
        return _finding(best, dossier)
    return None if over else _described(dossier)


def _only_heard(dossier: Dossier) -> Finding | None:
    heard = max(_in_accounts(dossier), key=lambda each: each.confidence, default=None)
    return _finding(heard, dossier) if heard is not None else None


def _is_better(heard: _Match, of_symptom: _Match | None) -> bool:
    return (
        of_symptom is None
        or of_symptom.statement.vague
        or (heard.statement.cause is not None and heard.confidence > of_symptom.confidence)
    )


def _in_symptom(symptom: Symptom) -> _Match | None:
    words = f"{symptom.reason}: {symptom.message}"[:LONGEST_READ]
    for statement in STATEMENTS:
        if symptom.category not in statement.of and statement.cause is None:
            continue
        found = statement.pattern.search(words)
        if found is not None:
            return _Match(
                statement=statement, found=found, account=None, confidence=statement.confidence
            )
    return None


def _in_accounts(dossier: Dossier) -> Iterator[_Match]:
    """In the order of time, so that the earliest of those that are as sure comes first."""
    category = dossier.symptom.category if dossier.symptom is not None else None
    for account in accounts(dossier):
        for statement in STATEMENTS:
            if statement.vague or (statement.cause is None and category not in statement.of):
                continue
            found = statement.pattern.search(account.text)
            if found is None:
                continue
            yield _Match(
                statement=statement,
                found=found,
                account=account,
                confidence=_sure(statement, account, dossier),
            )
            break


def _sure(statement: Statement, account: Account, dossier: Dossier) -> int:
    """How sure it is that what this object complains of is the cause of what is seen."""
    by, pod = dossier.shown_by, dossier.pod.metadata.name
    sure = statement.confidence
    if account.is_event and not statement.unmistakable and not is_of_kubernetes(account.reason):
        sure = min(sure, OF_ANYBODY)
    if (account.kind, account.name) in ((by.kind, by.name), ("Pod", pod)):
        return sure
    if account.kind == "HorizontalPodAutoscaler":
        # It has no metrics of Pods that fail, so its trouble follows from theirs.
        return min(sure, BESIDE)
    if within_container(dossier):
        return at_most_beside(sure, dossier)
    return sure - (OF_A_NEIGHBOUR if account.kind == "Pod" else 0)


def _finding(match: _Match, dossier: Dossier) -> Finding:
    statement, symptom = match.statement, dossier.symptom
    told = _words(dossier, match.account)
    for name, value in match.found.groupdict().items():
        word = shortened(value or "", characters=LONGEST_WORD).strip(" .")
        told[name] = word.lower() if name in _LOWERED else word
    told |= _counted(told)
    explanation = tell(statement.explanation, told)
    command = tell(f"<<{statement.command}>>", told) if statement.command is not None else ""
    describes = statement.rests_on_end and not told["ended"]
    citations = _citations(dossier, match.account)
    category = statement.cause or Category.OTHER
    if symptom is not None and (statement.cause is None or symptom.category in statement.of):
        category = symptom.category
    cause = _sentence(clip(tell(statement.root_cause, told), characters=LONGEST_CAUSE))
    return Finding(
        rule=statement.rule,
        category=category,
        summary=clip(tell(statement.summary, told), characters=LONGEST_SUMMARY),
        root_cause=f"{cause}{_consequence(match, dossier)}",
        explanation=explanation,
        confidence=min(DESCRIPTION, match.confidence) if describes else match.confidence,
        citations=citations,
        fixes=(
            Fix(
                title=clip(tell(statement.advice, told), characters=LONGEST_SUMMARY),
                rationale=explanation,
                command=command if command and _HARMLESS.fullmatch(command) else None,
                risk=statement.risk_of(told),
                citations=citations,
            ),
        ),
    )


def _counted(told: Mapping[str, str]) -> dict[str, str]:
    """One Pod has failed, and two have."""
    if told.get("failed") == "1":
        return {"Pods_failed": "Pod", "have_failed": "has", "one_by_one": ""}
    return {"Pods_failed": "Pods", "have_failed": "have", "one_by_one": "one after the other"}


def _consequence(match: _Match, dossier: Dossier) -> str:
    """What is seen of it, where that has another name than the cause."""
    symptom, account = dossier.symptom, match.account
    if symptom is None or account is None or symptom.reason in ("", account.reason):
        return ""
    return f" {clip(f'{subject(dossier)} shows it as {symptom.reason}.', characters=120)}"


def _described(dossier: Dossier) -> Finding | None:
    """Nothing that is known here: Kubernetes' words, the symptom's before a warning's."""
    symptom = dossier.symptom
    if symptom is not None:
        if symptom.category not in _SPOKEN_OF:
            return None
        if symptom.message:
            of = symptom.category
            if of is Category.OTHER:
                of = category_of_words(symptom.message) or of
            return _repeated(dossier, of, symptom.reason, symptom.message, account=None)
    if is_well(dossier):
        return None
    told = [each for each in warnings(dossier) if each.message]
    known = [each for each in told if not is_only_an_echo(each.reason)]
    account = next(iter(known or told), None)
    if account is None:
        if symptom is None:
            return None
        return _repeated(dossier, symptom.category, symptom.reason, "", account=None)
    category = category_of_warning(account.reason)
    if category is None and symptom is not None and symptom.category is not Category.OTHER:
        category = symptom.category
    category = category or category_of_words(account.text) or Category.OTHER
    return _repeated(dossier, category, account.reason, account.message, account=account)


def _repeated(
    dossier: Dossier, category: Category, reason: str, message: str, *, account: Account | None
) -> Finding:
    who = subject(dossier)
    said = shortened(message, characters=400).rstrip(" .")
    echo = account is not None and is_only_an_echo(account.reason)
    return Finding(
        rule=f"stated.{category.value.lower()}",
        category=category,
        summary=clip(
            f"{who}: {reason}" + (f": {said}" if said else ""), characters=LONGEST_SUMMARY
        ),
        root_cause=f"Kubernetes says of {who}: {reason}"
        + (f", {said}" if said else " and no more than that")
        + ".",
        explanation="The message is Kubernetes' own and names none of the causes known here.",
        confidence=(ECHO if echo else DESCRIPTION) if said else 30,
        citations=_citations(dossier, account),
    )


def _sentence(words: str) -> str:
    return words if words.endswith((".", "…")) else f"{words}."


def _words(dossier: Dossier, account: Account | None) -> dict[str, str]:
    """What every text may name."""
    by, owner, pod, symptom = dossier.shown_by, dossier.owner, dossier.pod, dossier.symptom
    who = subject(dossier)
    if account is not None and account.kind == "PersistentVolumeClaim":
        who = f"{account.kind} {account.name}"
    upstream = symptom.caused_by if symptom is not None else None
    if account is not None and account.kind == "Node":
        node = account.name
    elif upstream is not None and upstream.kind == "Node":
        node = upstream.name
    elif by.kind == "Node":
        node = by.name
    else:
        node = pod.spec.node_name
    message = account.message if account is not None else symptom.message if symptom else ""
    return {
        "subject": who,
        "kind": (by.kind or owner.kind).lower(),
        "name": by.name or owner.name,
        "namespace": owner.namespace,
        "node": f"node {node}" if node else "the node",
        "Node": f"Node {node}" if node else "The node",
        "node_name": node,
        "container": (symptom.container if symptom is not None else None) or "unknown",
        "reason": account.reason if account is not None else symptom.reason if symptom else "",
        "scheduler": _other_scheduler(dossier),
        "gates": ", ".join(each.name for each in pod.spec.scheduling_gates or ()) or "unknown",
        "upstream": f": {upstream.kind} {upstream.name} fails"
        + (f" ({upstream.reason})" if upstream.reason else "")
        if upstream is not None
        else "",
        "ended": _ended(dossier),
        "said": shortened(message, characters=300).rstrip(" ."),
    }


def _other_scheduler(dossier: Dossier) -> str:
    """The scheduler that the Pod asks for, where it is not the usual one."""
    name = text(pod_spec(dossier), "schedulerName")
    return "" if name == "default-scheduler" else name


def _ended(dossier: Dossier) -> str:
    """How a container of the Pod ended, and what it said last; empty where that is not known."""
    symptom = dossier.symptom
    if symptom is not None and symptom.category not in (Category.JOB, Category.ADMISSION):
        return ""
    for status in dossier.pod.status.all_container_statuses:
        ended = status.state.terminated or status.last_state.terminated
        if ended is None or ended.exit_code == 0:
            continue
        log = dossier.log(status.name)
        words = clip((log.decisive if log is not None else "") or ended.message, characters=120)
        how = f"exit code {ended.exit_code}"
        if ended.reason not in ("", "Error"):
            how += f", {ended.reason}"
        return f": container {status.name} ends with {how}" + (f": {words}" if words else "")
    return ""


def _citations(dossier: Dossier, account: Account | None) -> tuple[str, ...]:
    symptom = dossier.symptom
    if symptom is None:
        return account.citations if account is not None else citing(dossier)
    beginning = " ".join(symptom.message.split())[:60].strip()
    found: Mapping[str, None] = dict.fromkeys(
        (
            *(account.citations if account is not None else ()),
            *dossier.cite(EvidenceKind.STATUS, containing=symptom.reason),
            *dossier.events_of(symptom.container, containing=symptom.reason),
            *(
                dossier.cite(EvidenceKind.STATUS, EvidenceKind.EVENT, containing=beginning)
                if beginning
                else ()
            ),
            *(
                dossier.cite(EvidenceKind.STATUS, containing=f"container {symptom.container}:")
                if symptom.container is not None
                else ()
            ),
            *(
                dossier.cite(EvidenceKind.STATUS, EvidenceKind.LOG, containing="")
                if _ended(dossier)
                else ()
            ),
        )
    )
    return tuple(found)[:8] or citing(dossier)
