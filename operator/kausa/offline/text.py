"""What a diagnosis says on a terminal: the cause first, then why, what to do, and what shows it."""

from __future__ import annotations

from datetime import datetime

from kausa.detection.symptom import Upstream
from kausa.diagnosis.changed import tells_something, without_changes
from kausa.evidence.dossier import Change, Evidence
from kausa.evidence.redaction.placeholders import whole_until
from kausa.offline.answers import Answer
from kausa.offline.order import Told
from kausa.offline.paper import Paper
from kausa.offline.subjects import Subject

__all__ = ["as_text", "overview"]

MOST_DETAILS = 20
LONGEST_EVIDENCE = 400
LABEL = 9
MOST_LOGS = 3
LOG_IS_ABSENT = "Read its log, which is not in these files"
NOT_RECORDED = "not in the snapshot"
MOST_ABSENT = 6
NOWHERE = "-"
"""In place of the namespace of what belongs to none."""


def as_text(answer: Answer, *, width: int, verbose: bool = False) -> list[str]:
    """One answer in full; all evidence where `verbose`, else what is cited."""
    paper = Paper(width=width)
    _cause(paper, answer)
    said = _why(paper, answer)
    _what_to_do(paper, answer, said=said)
    _changes(paper, answer)
    _evidence(paper, answer, verbose=verbose)
    _not_read(paper, answer)
    _alternatives(paper, answer)
    return paper.lines


def overview(
    told: tuple[Told, ...],
    *,
    now: datetime,
    width: int,
    clip: bool,
    namespace: str = "",
    notes: tuple[str, ...] = (),
) -> list[str]:
    """One line for each failure, those that follow from another under it, then the notes; `clip`
    cuts each failure at the width, for a terminal.
    """
    paper = Paper(width=width)
    count = len(told)
    if not count:
        where = f"namespace {namespace} of this snapshot" if namespace else "this snapshot"
        paper.text(f"Nothing fails in {where}, as of {_time(now)}.", bold=True)
    else:
        _table(paper, told, now=now, clip=clip)
    if notes:
        paper.blank()
    for note in notes:
        paper.text(note, first="Note: ")
    return paper.lines


def _table(paper: Paper, told: tuple[Told, ...], *, now: datetime, clip: bool) -> None:
    count = len(told)
    paper.text(f"{count} failure{'s' if count > 1 else ''}, as of {_time(now)}:", bold=True)
    paper.blank()
    rows = [("NAMESPACE", "TARGET", "REASON", "SURE", "CAUSE")]
    for each in told:
        subject, diagnosis = each.answer.subject, each.answer.diagnosis
        under = "  " * (each.depth - 1) + "`-" if each.depth else ""
        reason = str(subject.symptom.reason if subject.symptom else diagnosis.category or "")
        reason += " (early)" if subject.early else ""
        rows.append(
            (
                subject.namespace or NOWHERE,
                f"{under}{subject.owner.kind}/{subject.owner.name}",
                reason,
                f"{diagnosis.confidence} %",
                diagnosis.summary,
            )
        )
    paper.table(rows, clip=clip)


def _cause(paper: Paper, answer: Answer) -> None:
    diagnosis, subject, symptom = answer.diagnosis, answer.subject, answer.dossier.symptom
    if answer.fails:
        paper.heading("CAUSE", colour="red")
    else:
        paper.heading("HEALTHY" if diagnosis.determined else "NO FAILURE SEEN", colour="green")
    paper.text(diagnosis.summary, indent=2, bold=True)
    owner = subject.owner
    where = subject.label
    if (subject.shown_by.kind, subject.shown_by.name) != (owner.kind, owner.name):
        where += f", shown by {subject.shown_by.kind}/{subject.shown_by.name}"
    paper.text(where, indent=2, first=f"{'Target':<{LABEL}}")
    if symptom is not None:
        parts = list(dict.fromkeys((str(symptom.category), symptom.reason)))
        if symptom.container:
            parts.append(f"container {symptom.container}")
        if symptom.exit_code is not None:
            parts.append(f"exit code {symptom.exit_code}")
        if len(subject.pods) > 1:
            parts.append(f"{len(subject.pods)} Pods")
        if symptom.occurrences > 1:
            parts.append(f"{symptom.occurrences} times")
        since = subject.since or symptom.since
        if since is not None:
            parts.append(f"since {_time(since)}")
        paper.text(", ".join(parts), indent=2, first=f"{'Failure':<{LABEL}}")
        if symptom.caused_by is not None:
            paper.text(_above(symptom.caused_by, answer), indent=2, first=f"{'Follows':<{LABEL}}")
    if answer.fails:
        sure = f"{diagnosis.confidence} %, by {str(diagnosis.decided_by).lower()}"
        paper.text(sure, indent=2, first=f"{'Sure':<{LABEL}}")
    if subject.early:
        paper.text(
            f"so early Kubernetes may still get over it; judged as of {_time(subject.now)}, "
            "as if nothing changed until then",
            indent=2,
            first=f"{'Early':<{LABEL}}",
        )


def _above(upstream: Upstream, answer: Answer) -> str:
    elsewhere = upstream.namespace not in (None, answer.subject.namespace)
    where = f" of namespace {upstream.namespace}" if elsewhere else ""
    reason = f" ({upstream.reason})" if upstream.reason else ""
    said = f": {answer.said_above}" if answer.said_above else ""
    return f"{upstream.kind}/{upstream.name}{where}{reason}{said}"


def _why(paper: Paper, answer: Answer) -> str:
    """What it has told, so that nothing below says it again."""
    diagnosis = answer.diagnosis
    # What changed stands under a heading of its own.
    explanation = without_changes(diagnosis.explanation)
    for beside in diagnosis.alternatives:
        if beside.summary in diagnosis.root_cause:
            explanation = explanation.replace(f"Besides: {beside.summary}.", "").strip()
    told = (diagnosis.root_cause, explanation)
    said = [each for each in dict.fromkeys(told) if each and each != diagnosis.summary]
    if said:
        paper.heading("WHY")
    for each in said:
        paper.text(each, indent=2)
    return " ".join((diagnosis.summary, *said))


def _what_to_do(paper: Paper, answer: Answer, *, said: str) -> None:
    logs = [] if answer.diagnosis.determined or not answer.fails else _absent_logs(answer)
    if not answer.diagnosis.fixes and not logs:
        return
    paper.heading("WHAT TO DO")
    for number, fix in enumerate(answer.diagnosis.fixes, start=1):
        risk = f" (risk: {str(fix.risk).lower()})"
        paper.text(f"{fix.title}{risk}", indent=2, first=f"{number}. ", bold=True)
        if fix.rationale and fix.rationale.rstrip(". ") not in said:
            paper.text(fix.rationale, indent=5)
            said = f"{said} {fix.rationale}"
        if fix.command:
            paper.command(fix.command, indent=5)
    for number, command in enumerate(logs, start=len(answer.diagnosis.fixes) + 1):
        paper.text(LOG_IS_ABSENT, indent=2, first=f"{number}. ", bold=True)
        paper.command(command, indent=5)


def _absent_logs(answer: Answer) -> list[str]:
    """The commands that read the logs that the files do not hold, where no fix names them."""
    commands = [
        gap.why[gap.why.index("kubectl ") :]
        for gap in answer.dossier.gaps
        if gap.why.startswith("the log is not in these files") and "kubectl " in gap.why
    ]
    said = {each.command for each in answer.diagnosis.fixes}
    return [each for each in dict.fromkeys(commands) if each not in said][:MOST_LOGS]


def _changes(paper: Paper, answer: Answer) -> None:
    changes = [
        each
        for each in answer.dossier.changes
        if tells_something(each, answer.dossier, answer.diagnosis)
    ]
    if not changes:
        return
    paper.heading("WHAT CHANGED")
    for each in changes:
        at = f" at {_time(each.at)}" if each.at is not None else ""
        paper.text(f"{each.path}{at}: {_before_after(each)}", indent=2, first="- ")


def _before_after(change: Change) -> str:
    if change.before is None and change.after is None:
        return "was changed"
    if change.before is None:
        return f"new: {change.after}"
    if change.after is None:
        return f"gone, was {change.before}"
    return f"{change.before} -> {change.after}"


def _evidence(paper: Paper, answer: Answer, *, verbose: bool) -> None:
    every = answer.dossier.evidence
    cited = frozenset(answer.diagnosis.citations)
    shown = every if verbose or not cited else tuple(e for e in every if e.id in cited)
    if not shown:
        return
    paper.heading("EVIDENCE")
    for each in shown:
        paper.text(_of(each), indent=2, first=f"{each.id:<4}")
        paper.text(_clip(each.text), indent=6)
    hidden = len(every) - len(shown)
    if hidden:
        paper.text(f"({hidden} more with -v)", indent=2)


def _of(evidence: Evidence) -> str:
    source = evidence.source
    field = f" {source.field_path}" if source.field_path else ""
    at = f" {_time(evidence.time)}" if evidence.time is not None else ""
    return f"{evidence.kind} {source.kind}/{source.name}{field}{at}"


def _not_read(paper: Paper, answer: Answer) -> None:
    gaps = answer.dossier.gaps
    absent = [each for gap in gaps if gap.why == NOT_RECORDED for each in gap.what.split(", ")]
    absent = [each for each in dict.fromkeys(absent) if not _is_about(each, answer.subject)]
    others = [gap for gap in gaps if gap.why != NOT_RECORDED]
    if not absent and not others:
        return
    paper.heading("NOT READ")
    for gap in others:
        paper.text(f"{gap.what}: {gap.why}", indent=2, first="- ")
    if absent:
        here = f" of namespace {answer.subject.owner.namespace}"
        absent = [each.removesuffix(here).removesuffix(" of the cluster") for each in absent]
        more = len(absent) - MOST_ABSENT
        some = ", ".join(absent[:MOST_ABSENT]) + (f" and {more} more" if more > 0 else "")
        paper.text(f"{NOT_RECORDED}: {some}", indent=2, first="- ")


def _is_about(what: str, subject: Subject) -> bool:
    """Whether a gap is about the object that is diagnosed: everybody sees that it is not there."""
    names = {f"{each.kind}/{each.name}" for each in (subject.owner, subject.shown_by)}
    return what in names


def _alternatives(paper: Paper, answer: Answer) -> None:
    said = f"{answer.diagnosis.summary} {answer.diagnosis.root_cause}"
    others = [each for each in answer.diagnosis.alternatives if each.summary not in said]
    if not others or not answer.fails:
        return
    paper.heading("OR PERHAPS")
    for each in others:
        paper.text(each.summary, indent=2, first=f"{each.confidence:>3} %  ")


def _clip(text: str) -> str:
    text = text.strip()
    if len(text) <= LONGEST_EVIDENCE:
        return text
    return text[: whole_until(text, LONGEST_EVIDENCE)].rstrip() + " [...]"


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")
