"""Crash loops: a program that ends again and again, a container that cannot start, hooks that fail.

What the program says of itself is read by `application`; here is what is known without its words,
from exit codes, signals and the runtime's answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from kausa.cluster.objects import Container
from kausa.detection.symptom import Symptom
from kausa.diagnosis.finding import Finding, Fix
from kausa.diagnosis.rules.accounts import events
from kausa.diagnosis.rules.application.saying import is_overcome, log_citations
from kausa.diagnosis.rules.application.subjects import failing_container, is_settled, last_end
from kausa.diagnosis.rules.application.told import OVERCOME, hear
from kausa.diagnosis.rules.application.typos import likely_command
from kausa.diagnosis.rules.changed import changed_before
from kausa.diagnosis.rules.exit_codes import meaning_of
from kausa.diagnosis.rules.runtime_refusals import REFUSALS, Refusal
from kausa.diagnosis.rules.statement import tell
from kausa.diagnosis.rules.telling import LONGEST_SUMMARY, citing
from kausa.diagnosis.rules.wording import clip, ended_with, ending, quoted
from kausa.evidence.dossier import Dossier, LogExcerpt
from kausa.evidence.logs import Severity
from kausa.evidence.logs.severity import by_words
from kausa.resources.category import Category
from kausa.resources.evidence import EvidenceKind

__all__ = ["crash_loop", "runtime_cannot_start"]

_RUNTIME_REASONS = frozenset(
    {"StartError", "ContainerCannotRun", "RunContainerError", "CreateContainerError"}
)
_REFUSED_EVENTS = re.compile(
    r"\bOCI runtime\b|runc (?:create|run|start)|containerd task|failed to (?:create|start|run) "
    r"container|unable to start container process|failed to start container|CreateContainerError|"
    r"RunContainerError|Error response from daemon|shim task",
    re.I,
)
_CAUSED = " caused:"
_STARTS = "unable to start container process:"


def crash_loop(dossier: Dossier) -> Finding | None:
    """The program ends by itself; its last words are the best account of why."""
    symptom = _crash(dossier)
    if symptom is None:
        return None
    log = dossier.log(symptom.container)
    words = (log.cause or log.decisive) if log is not None else ""
    words = words or symptom.message
    citations = _citations(dossier, symptom)
    if symptom.exit_code == 0:
        return _finishes(dossier, symptom, citations=citations)
    meaning = meaning_of(symptom.exit_code)
    container, which = symptom.container, _which(dossier, symptom)
    how = ended_with(symptom)
    clause = f" ({meaning.clause})" if meaning.clause else ""
    said = f": {clip(words, characters=110)}" if words else f" and {_silence(log)}"
    status = dossier.container_status(container)
    return Finding(
        rule="crash.exits",
        category=Category.CRASH_LOOP,
        summary=clip(f"{which} ends with {how}{clause}{said}", characters=LONGEST_SUMMARY),
        root_cause=" ".join(
            (
                f"The program in {which} starts and ends with an error{clause}.",
                ending(symptom, last_end(status), container=container or ""),
                quoted(words, characters=240) if words else f"It {_silence(log)}.",
                *_waits_for_init(dossier, symptom),
            )
        ),
        explanation=(
            "Kubernetes starts the container again after every end, waiting longer each time "
            "(back-off). The program ends by itself: for a fault of its own, its configuration, or "
            f"something that it needs and does not get. {meaning.why}"
        ).strip(),
        confidence=min(
            _confidence(dossier, said=bool(words), known=bool(meaning.clause)),
            _at_most(dossier, log, words),
        ),
        citations=citations,
        fixes=(
            Fix(
                title="Read what the program said before it ended",
                rationale="The log of the run that crashed holds the whole account.",
                command=f"kubectl -n {dossier.owner.namespace} logs {dossier.pod.metadata.name} "
                f"-c {symptom.container} --previous",
                citations=citations,
            ),
        ),
    )


def _confidence(dossier: Dossier, *, said: bool, known: bool) -> int:
    """A bare exit code tells nothing; one of a signal does, and so does what was changed before."""
    if said:
        return 75
    if known:
        return 62
    return 58 if changed_before(dossier, Category.CRASH_LOOP) else 40


def _at_most(dossier: Dossier, log: LogExcerpt | None, words: str) -> int:
    """What the program got over is no cause for sure; a line that complains of nothing is less."""
    if log is None or not words:
        return 100
    if is_overcome(words, (log,)):
        return OVERCOME
    heard = hear(dossier) if by_words(words).severity is Severity.INFO else None
    return OVERCOME - 1 if heard is not None and heard.saying.overcome else 100


def _which(dossier: Dossier, symptom: Symptom) -> str:
    """`init container migrate`, `sidecar proxy` or `container api`."""
    name = symptom.container
    if _is_init(dossier, name):
        return f"init container {name}"
    if name is None:
        return f"a container of Pod {dossier.pod.metadata.name}"
    return f"container {name}"


def _is_init(dossier: Dossier, name: str | None) -> bool:
    asked = next(
        (each for each in dossier.pod.spec.init_containers or () if each.name == name), None
    )
    if asked is not None:
        return asked.restart_policy != "Always"
    known = any(each.name == name for each in dossier.pod.spec.containers or ())
    statuses = dossier.pod.status.init_container_statuses or ()
    return not known and any(each.name == name for each in statuses)


def _waits_for_init(dossier: Dossier, symptom: Symptom) -> Iterator[str]:
    if _is_init(dossier, symptom.container):
        yield "The Pod's other containers wait until this init container succeeds."


def _silence(log: LogExcerpt | None) -> str:
    return "wrote nothing to its log" if log is not None else "left no log that could be read"


def _citations(dossier: Dossier, symptom: Symptom) -> tuple[str, ...]:
    container = symptom.container or ""
    found = (
        *dossier.cite(EvidenceKind.STATUS, containing=f"container {container}:"),
        *log_citations(dossier, container),
        *dossier.events_of(container, containing="back-off restarting"),
    )
    return tuple(dict.fromkeys(found)) or citing(dossier)


def _finishes(dossier: Dossier, symptom: Symptom, *, citations: tuple[str, ...]) -> Finding:
    container = dossier.container(symptom.container)
    return Finding(
        rule="crash.finishes",
        category=Category.CRASH_LOOP,
        summary=f"container {symptom.container} finishes with exit code 0 and is started again",
        root_cause=(
            f"Container {symptom.container} does its work and ends with exit code 0 (Completed), "
            f"but its Pod restarts it every time (restartPolicy "
            f"{dossier.pod.spec.restart_policy}), which Kubernetes shows as {symptom.reason}."
        ),
        explanation="A Pod that always restarts its containers is meant to run for ever. A "
        "program that is meant to end belongs into a Job; one that is meant to run "
        "lacks its long-running command.",
        confidence=90,
        citations=(*citations, *dossier.cite(EvidenceKind.SPEC, containing=_named(container))),
        fixes=(
            Fix(
                title="Give it a command that keeps running, or make it a Job",
                rationale="Exit code 0 says that nothing failed.",
                citations=citations,
            ),
        ),
    )


def runtime_cannot_start(dossier: Dossier) -> Finding | None:
    """The container never ran: the runtime could not create it or start its command."""
    symptom = dossier.symptom
    for words, citations in _refusals(dossier):
        for refusal in REFUSALS:
            found = refusal.pattern.search(words)
            if found is not None:
                return _refused(dossier, symptom, refusal, found, words, citations)
    words, citations = next(_refusals(dossier), ("", ()))
    if symptom is None or not words or symptom.category is not Category.CRASH_LOOP:
        return None
    what = _bare(words)
    return Finding(
        rule="crash.cannot-start",
        category=Category.CRASH_LOOP,
        summary=clip(
            f"container {symptom.container} cannot start: {what}", characters=LONGEST_SUMMARY
        ),
        root_cause=f"The container runtime cannot start container {symptom.container} "
        f"({symptom.reason}, {ended_with(symptom)}): {clip(what, characters=300)}.",
        explanation="The program was never run. Its command does not exist in the image, is not "
        "executable, or is built for another architecture.",
        confidence=88,
        citations=citations,
    )


def _refusals(dossier: Dossier) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What the runtime said: in the status of the container, then in Events."""
    symptom = dossier.symptom
    if symptom is None or symptom.category not in _MAY_BE_REFUSED:
        return
    name = symptom.container
    for status in dossier.pod.status.all_container_statuses:
        if name not in (None, status.name):
            continue
        cited = dossier.cite(EvidenceKind.STATUS, containing=f"container {status.name}:")
        waiting, ended = status.state.waiting, last_end(status)
        if waiting is not None and waiting.reason in _RUNTIME_REASONS and waiting.message:
            yield waiting.message[:4096], cited or citing(dossier)
        if ended is not None and ended.reason in _RUNTIME_REASONS:
            yield (ended.message or ended.reason)[:4096], cited or citing(dossier)
    if is_settled(dossier):
        return
    for account in reversed(events(dossier)):
        of_pod = account.warning and account.kind == "Pod" and account.reason in _EVENTS
        if of_pod and _REFUSED_EVENTS.search(account.message):
            yield account.message, account.citations


_MAY_BE_REFUSED = frozenset(
    {Category.CRASH_LOOP, Category.CONFIG, Category.OTHER, Category.JOB, Category.NODE,
     Category.SANDBOX}
)  # fmt: skip
_EVENTS = frozenset({"Failed", "FailedCreate", "FailedStart", "RunContainerError", "Error"})


def _refused(
    dossier: Dossier,
    symptom: Symptom | None,
    refusal: Refusal,
    found: re.Match[str],
    words: str,
    citations: tuple[str, ...],
) -> Finding:
    told = _told(dossier, symptom, found)
    category = refusal.category or (
        symptom.category if symptom is not None else Category.CRASH_LOOP
    )
    shown = f" Kubernetes shows {symptom.reason}." if symptom is not None else ""
    return Finding(
        rule=f"crash.cannot-start-{refusal.name}",
        category=category,
        summary=clip(tell(refusal.summary, told), characters=LONGEST_SUMMARY),
        root_cause=clip(tell(refusal.cause, told), characters=330)
        + shown
        + f' The runtime says: "{clip(_bare(words), characters=150)}"',
        explanation=refusal.explanation,
        confidence=refusal.confidence,
        citations=citations,
        fixes=(
            Fix(
                title=clip(tell(refusal.advice, told), characters=LONGEST_SUMMARY),
                rationale=refusal.explanation,
                citations=citations,
            ),
        ),
    )


def _told(dossier: Dossier, symptom: Symptom | None, found: re.Match[str]) -> dict[str, str]:
    containers = dossier.pod.spec.containers or ()
    name = symptom.container if symptom is not None else None
    name = name or (containers[0].name if len(containers) == 1 else None)
    container = dossier.container(name)
    node = dossier.pod.spec.node_name
    groups = {key: clip(value or "", characters=120) for key, value in found.groupdict().items()}
    told = {"file": "", "handler": "", "why": "", **groups}
    told["file"] = (
        told["file"] or groups.get("path") or groups.get("name") or groups.get("other") or ""
    )
    told["handler"] = told["handler"] or groups.get("runtime") or groups.get("other") or ""
    limits = container.resources.limits if container is not None else None
    return {
        **told,
        "container": name or "of the Pod",
        "image": container.image
        if container is not None and container.image
        else "of the container",
        "node": f"node {node}" if node else "the node",
        "limit": str((limits or {}).get("memory", "")),
        "meant": likely_command(told["file"]),
    }


def _bare(words: str) -> str:
    """The runtime's words without the calls that they went through."""
    inner = words.rpartition(_STARTS)[2].strip() or words
    inner = inner.rpartition(_CAUSED)[2].strip() or inner
    return inner.removesuffix(": unknown").strip().rstrip(".")


def _crash(dossier: Dossier) -> Symptom | None:
    """The symptom, with the container and its end where it tells neither but the status does."""
    symptom = dossier.symptom
    if symptom is None or symptom.category is not Category.CRASH_LOOP:
        return None
    if symptom.container is not None:
        return symptom
    name = failing_container(dossier)
    ended = last_end(dossier.container_status(name))
    return msgspec.structs.replace(
        symptom,
        container=name,
        exit_code=ended.exit_code if ended is not None else None,
        message=ended.message if ended is not None else symptom.message,
    )


def _named(container: Container | None) -> str:
    return f"container {container.name}:" if container is not None else ""
