"""Back to what worked: exactly the fields whose change fits the failure, or the whole revision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce

from kausa.diagnosis.changed import fitting_changes, is_named
from kausa.diagnosis.finding import Diagnosis, Fix
from kausa.diagnosis.remediation.patches import merged
from kausa.diagnosis.remediation.setting_back import set_back
from kausa.diagnosis.remediation.workload import Workload
from kausa.evidence.changes.aspects import Aspect, aspect_of, container_of
from kausa.evidence.changes.words import subject
from kausa.evidence.dossier import Change, Dossier
from kausa.evidence.quantity import parse_quantity
from kausa.resources.category import Category
from kausa.resources.diagnosis import Risk
from kausa.resources.evidence import EvidenceKind

__all__ = ["roll_back", "undo"]

_TELLING: dict[Category, frozenset[Aspect]] = {
    Category.IMAGE_PULL: frozenset({Aspect.IMAGE, Aspect.PULL_SECRET}),
    Category.OOM_KILLED: frozenset({Aspect.LIMIT}),
    Category.PROBE: frozenset({Aspect.PROBE}),
    Category.SCHEDULING: frozenset({Aspect.PLACEMENT, Aspect.REQUEST}),
    Category.PERMISSION: frozenset({Aspect.ACCOUNT, Aspect.SECURITY}),
}
"""What decides a failure of such a kind even where other things were changed with it."""

_OF_THE_PROGRAM = frozenset(
    {Category.CRASH_LOOP, Category.CONFIG, Category.PERMISSION, Category.JOB, Category.ROLLOUT}
)
"""Where the one thing that a rollout changed is the first suspect. A database that is away has
reasons of its own."""

_OF_OTHERS = frozenset(
    {
        Category.DEPENDENCY,
        Category.NETWORK,
        Category.PERMISSION,
        Category.NODE,
        Category.EVICTION,
        Category.SANDBOX,
        Category.CONTROL_PLANE,
    }
)
"""What fails here is another program, an account of it, or the machine: a rollout that happened to
go before is no reason to undo it."""


def roll_back(dossier: Dossier, diagnosis: Diagnosis, workload: Workload) -> Iterator[Fix]:
    """A patch that sets back what was changed and fits, where one thing stands out."""
    changes = [
        each
        for each in _outstanding(dossier, diagnosis)
        if _worsened(each) and set_back(each, workload) is not None
    ]
    bodies = [body for each in changes if (body := set_back(each, workload)) is not None]
    if not bodies:
        return
    yield Fix(
        title=_title(changes, workload),
        rationale=(
            "With what it was before, it worked; this sets back that field and nothing else."
            if len(changes) == 1
            else "With what they were before, it worked; this sets back these fields alone."
        ),
        patch=workload.patch(reduce(merged, bodies)),
        risk=Risk.MEDIUM if _is_program(changes) else Risk.LOW,
        citations=_cited(dossier, changes),
    )


def undo(dossier: Dossier, diagnosis: Diagnosis) -> Iterator[Fix]:
    """The command that brings the last revision back that worked."""
    owner = dossier.owner
    step = next((each for each in dossier.changes if each.path.endswith(" revision")), None)
    fitting = _explaining(dossier, diagnosis)
    if step is None or not fitting or step.path != f"{owner.kind}/{owner.name} revision":
        return
    yield Fix(
        title=f"Go back to revision {step.before} of {owner.kind} {owner.name}",
        rationale="It undoes all that revision "
        f"{step.after} changed; what was meant by it can be tried again once it is mended.",
        command=f"kubectl -n {owner.namespace} rollout undo {owner.kind.lower()}/{owner.name} "
        f"--to-revision={step.before}",
        risk=Risk.MEDIUM,
        citations=_cited(dossier, (step, *fitting[:2])),
    )


def _explaining(dossier: Dossier, diagnosis: Diagnosis) -> list[Change]:
    """What fits and may be the cause; of what has its causes elsewhere, only what the diagnosis
    names or what decides such a failure.
    """
    fitting = fitting_changes(dossier, diagnosis)
    if not diagnosis.determined or diagnosis.category not in _OF_OTHERS:
        return fitting
    telling = _TELLING.get(diagnosis.category, frozenset())
    return [
        each for each in fitting if is_named(each, diagnosis) or aspect_of(each.path) in telling
    ]


def _outstanding(dossier: Dossier, diagnosis: Diagnosis) -> list[Change]:
    """What the diagnosis names; else what decides such a failure; else the only one that fits."""
    fitting = fitting_changes(dossier, diagnosis)
    named = [each for each in fitting if is_named(each, diagnosis)]
    telling = _TELLING.get(diagnosis.category, frozenset()) if diagnosis.category else frozenset()
    deciding = [each for each in fitting if aspect_of(each.path) in telling]
    if named or deciding:
        return _of_one_kind(named or deciding)
    category, templates = diagnosis.category, [*_of_the_template(dossier)]
    alone = fitting == templates and len(templates) == 1
    return fitting if alone and diagnosis.determined and category in _OF_THE_PROGRAM else []


def _of_the_template(dossier: Dossier) -> Iterator[Change]:
    """All that the rollout changed."""
    prefix = f"{dossier.owner.kind}/{dossier.owner.name} spec."
    return (each for each in dossier.changes if each.path.startswith(prefix))


def _of_one_kind(changes: list[Change]) -> list[Change]:
    """The first, and what was changed of the same part of the same container."""
    first = changes[0]
    key = (aspect_of(first.path), container_of(first.path))
    return [each for each in changes if (aspect_of(each.path), container_of(each.path)) == key]


def _worsened(change: Change) -> bool:
    """A limit that was raised is not what it died of, nor a request that was lowered what finds no
    room; of all other changes nobody knows which way is worse.
    """
    aspect = aspect_of(change.path)
    if aspect not in (Aspect.LIMIT, Aspect.REQUEST):
        return True
    before, after = (parse_quantity(each) for each in (change.before, change.after))
    if after is None:
        return False
    return before is None or (before > after if aspect is Aspect.LIMIT else after > before)


def _title(changes: list[Change], workload: Workload) -> str:
    prefix = f"{workload.kind}/{workload.name} {workload.template_path}."
    what = [subject(each.path.removeprefix(prefix)) for each in changes]
    if len(changes) > 1:
        return f"Set back {', '.join(what[:-1])} and {what[-1]}"
    return _step(changes[0], what[0])


def _step(change: Change, what: str) -> str:
    if change.before is None:
        return f"Take away {what} again"
    if change.after is None:
        return f"Put back {what}"
    value = "" if aspect_of(change.path) is Aspect.ENVIRONMENT else f" to {change.before}"
    return f"Set {what} back{value}"


def _is_program(changes: list[Change]) -> bool:
    """Whether another program comes to run, which may not know what this one left behind."""
    return any(aspect_of(each.path) is Aspect.IMAGE for each in changes)


def _cited(dossier: Dossier, changes: Iterable[Change]) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(
            found
            for each in changes
            for found in dossier.cite(EvidenceKind.CHANGE, containing=each.citation)
        )
    )
