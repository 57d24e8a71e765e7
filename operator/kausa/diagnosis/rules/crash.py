"""Crash loops: a program that ends again and again, and what it said last."""

from __future__ import annotations

from kausa.cluster.objects import Container
from kausa.detection.symptom import Symptom
from kausa.diagnosis.finding import Finding, Fix
from kausa.diagnosis.rules.wording import clip, ended_with
from kausa.evidence.dossier import Dossier, LogExcerpt
from kausa.resources.category import Category
from kausa.resources.evidence import EvidenceKind

__all__ = ["crash_loop", "killed_by_liveness_probe", "runtime_cannot_start"]

_RUNTIME_REASONS = frozenset({"StartError", "ContainerCannotRun", "RunContainerError"})


def crash_loop(dossier: Dossier) -> Finding | None:
    """The program ends by itself; its last words are the best account of why."""
    symptom = _crash(dossier)
    if symptom is None:
        return None
    log = dossier.log(symptom.container)
    words = log.decisive if log is not None else ""
    if not words:
        words = symptom.message
    citations = (
        *dossier.cite(EvidenceKind.STATUS, containing=f"container {symptom.container}:"),
        *(dossier.cite(EvidenceKind.LOG) if log is not None else ()),
    )
    if symptom.exit_code == 0:
        return _finishes(dossier, symptom, citations=citations)
    how = ended_with(symptom)
    said = f": {clip(words, characters=140)}" if words else f" and {_silence(log)}"
    return Finding(
        rule="crash.exits",
        category=Category.CRASH_LOOP,
        summary=f"container {symptom.container} ends with {how}{said}",
        root_cause=(
            f"Container {symptom.container} starts, and ends with {how}. "
            + (
                f"Its last words: {clip(words, characters=400)}"
                if words
                else f"It {_silence(log)}."
            )
        ),
        explanation=(
            "Kubernetes starts the container again after every end, waiting longer each time. "
            "The program ends by itself: for a fault of its own, its configuration, or something "
            "that it needs and does not get."
        ),
        confidence=75 if words else 40,
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


def _silence(log: LogExcerpt | None) -> str:
    return "wrote nothing to its log" if log is not None else "left no log that could be read"


def _finishes(dossier: Dossier, symptom: Symptom, *, citations: tuple[str, ...]) -> Finding:
    container = dossier.container(symptom.container)
    return Finding(
        rule="crash.finishes",
        category=Category.CRASH_LOOP,
        summary=f"container {symptom.container} finishes with exit code 0 and is started again",
        root_cause=(
            f"Container {symptom.container} does its work and ends with exit code 0, but its Pod "
            f"restarts it every time (restartPolicy {dossier.pod.spec.restart_policy})."
        ),
        explanation="A Pod that always restarts its containers is meant to run for ever. A program "
        "that is meant to end belongs into a Job; one that is meant to run lacks its long-running "
        "command.",
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


def killed_by_liveness_probe(dossier: Dossier) -> Finding | None:
    """The kubelet ended it, because its liveness or startup probe failed."""
    symptom = _crash(dossier)
    if symptom is None or symptom.signal is None:
        return None
    for probe in ("Liveness", "Startup"):
        events = dossier.events_of(symptom.container, containing=f"{probe} probe failed")
        if events:
            said = next(each.text for each in dossier.evidence if each.id == events[-1])
            message = clip(said.partition(f"{probe} probe failed")[2].lstrip(": "), characters=120)
            return Finding(
                rule="crash.probe-kills",
                category=Category.PROBE,
                summary=f"container {symptom.container} is killed because its {probe.lower()} "
                f"probe fails: {message}",
                root_cause=f"The kubelet ends container {symptom.container} "
                f"({ended_with(symptom)}) because its {probe.lower()} probe fails: {message}.",
                explanation="A failing liveness or startup probe makes the kubelet kill and start "
                "the container again. Either the program hangs, or the probe asks too much.",
                confidence=88,
                citations=(
                    *events,
                    *dossier.cite(
                        EvidenceKind.STATUS, containing=f"container {symptom.container}:"
                    ),
                ),
            )
    return None


def runtime_cannot_start(dossier: Dossier) -> Finding | None:
    """The container never ran: the runtime could not start its command."""
    symptom = _crash(dossier)
    status = dossier.container_status(symptom.container) if symptom is not None else None
    if symptom is None or status is None:
        return None
    ended = status.state.terminated or status.last_state.terminated
    if ended is None or ended.reason not in _RUNTIME_REASONS:
        return None
    words = ended.message.rpartition("unable to start container process:")[2]
    what = clip(words.strip().removesuffix(": unknown"), characters=160)
    container = dossier.container(symptom.container)
    return Finding(
        rule="crash.cannot-start",
        category=Category.CRASH_LOOP,
        summary=f"container {symptom.container} cannot start: {what or ended.reason}",
        root_cause=f"The container runtime cannot start container {symptom.container} "
        f"({ended_with(symptom)}): {what or ended.reason}.",
        explanation="The program was never run. Its command does not exist in the image, is not "
        "executable, or is built for another architecture.",
        confidence=92,
        citations=(
            *dossier.cite(EvidenceKind.STATUS, containing=f"container {symptom.container}:"),
            *dossier.cite(EvidenceKind.SPEC, containing=_named(container)),
        ),
        fixes=(
            Fix(
                title=f"Correct the command of container {symptom.container}, or its image",
                rationale="What the runtime was told to run is not there or cannot be run.",
                citations=dossier.cite(EvidenceKind.SPEC, containing=_named(container)),
            ),
        ),
    )


def _crash(dossier: Dossier) -> Symptom | None:
    symptom = dossier.symptom
    if symptom is None or symptom.category is not Category.CRASH_LOOP:
        return None
    return symptom


def _named(container: Container | None) -> str:
    return f"container {container.name}:" if container is not None else ""
