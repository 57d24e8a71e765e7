"""Probes that fail: what was asked, what was answered, and whether the probe or the program is off.

The words come from the kubelet's Event, the numbers from the spec. What the program said in its log
meanwhile is added, because a probe only tells that the program is not well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from kausa.cluster.objects import Terminated
from kausa.detection.symptom import Symptom
from kausa.diagnosis.finding import Finding, Fix
from kausa.diagnosis.rules.accounts import Account, events
from kausa.diagnosis.rules.application.subjects import last_end
from kausa.diagnosis.rules.application.told import hear, words_of
from kausa.diagnosis.rules.probe_answers import ANSWERS, Answer
from kausa.diagnosis.rules.probe_spec import ProbeSpec, probe_spec
from kausa.diagnosis.rules.statement import tell
from kausa.diagnosis.rules.telling import LONGEST_SUMMARY, citing
from kausa.diagnosis.rules.wording import clip, ended_with, sentence
from kausa.evidence.dossier import Dossier
from kausa.resources.category import Category
from kausa.resources.evidence import EvidenceKind

__all__ = ["killed_by_liveness_probe", "probe_fails"]

_SPOKEN = re.compile(
    r"\b(?P<probe>Liveness|Readiness|Startup) probe (?:failed|errored)(?P<answer>[^\0]*)", re.I
)
_KILLING = ("liveness", "startup")
_KILLED_CODES = frozenset({0, 137, 143})
MEANS = {
    "readiness": "A container whose readiness probe fails gets no requests until it succeeds.",
    "liveness": "A container whose liveness probe fails is killed and started again.",
    "startup": "A container whose startup probe does not succeed in time is killed and started "
    "again; until it does, the other probes are not asked.",
}
LONGEST_ANSWER = 160
RARELY_SAID = timedelta(minutes=15)
"""A kubelet that has said much of a Pod says more only every five minutes, of all in turn."""
SAID_LATE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failing:
    """A probe that failed and what Kubernetes says of it."""

    probe: str
    answer: str
    count: int = 1
    citations: tuple[str, ...] = ()
    time: datetime | None = None
    """When Kubernetes said so last."""

    def may_have_ended(self, ended: Terminated | None) -> bool:
        """Whether it was said about this run; where a time is missing, it may have been."""
        if self.time is None or ended is None:
            return True
        if ended.started_at is not None and self.time < ended.started_at - RARELY_SAID:
            return False
        finished = ended.finished_at
        return self.count > 1 or finished is None or self.time <= finished + SAID_LATE


def probe_fails(dossier: Dossier) -> Finding | None:
    """A probe keeps a container from being ready, or lets it be killed."""
    symptom = dossier.symptom
    if symptom is None or symptom.category is not Category.PROBE:
        return None
    failing = _of_symptom(dossier, symptom)
    return _finding(dossier, failing, container=_container(dossier, symptom), ended=None)


def killed_by_liveness_probe(dossier: Dossier) -> Finding | None:
    """It looks like a crash; the kubelet ended it because a liveness or startup probe failed."""
    symptom = dossier.symptom
    if symptom is None or symptom.category is not Category.CRASH_LOOP:
        return None
    ended = last_end(dossier.container_status(symptom.container))
    known = symptom.exit_code in _KILLED_CODES or (symptom.exit_code is None and ended is None)
    if not known:
        return None
    for failing in _failing(dossier, symptom.container):
        if failing.probe in _KILLING and failing.may_have_ended(ended):
            return _finding(dossier, failing, container=_container(dossier, symptom), ended=ended)
    return None


def _container(dossier: Dossier, symptom: Symptom) -> str:
    if symptom.container:
        return symptom.container
    containers = dossier.pod.spec.containers or ()
    return containers[0].name if len(containers) == 1 else ""


def _of_symptom(dossier: Dossier, symptom: Symptom) -> _Failing:
    told = _SPOKEN.search(symptom.message[:4096])
    known = [each for each in _failing(dossier, symptom.container)]
    if told is not None:
        probe = told["probe"].lower()
        same = next((each for each in known if each.probe == probe), None)
        return _Failing(
            probe=probe,
            answer=_bare(told["answer"]),
            count=max(same.count if same is not None else 1, 1),
            citations=same.citations if same is not None else (),
        )
    of_kind = [each for each in known if each.probe == symptom.detail]
    if of_kind or known:
        return (of_kind or known)[0]
    return _Failing(probe=symptom.detail if symptom.detail in MEANS else "readiness", answer="")


def _failing(dossier: Dossier, container: str | None) -> list[_Failing]:
    """What the Events say, those that kill first, then the newest."""
    found = [
        _Failing(
            probe=said["probe"].lower(),
            answer=_bare(said["answer"]),
            count=account.count,
            citations=account.citations,
            time=account.time,
        )
        for account in reversed(events(dossier))
        if account.kind == "Pod"
        and _concerns(account, dossier, container)
        and (said := _SPOKEN.search(account.message)) is not None
    ]
    order = {"startup": 0, "liveness": 1, "readiness": 2}
    return sorted(found, key=lambda each: (order[each.probe], not each.answer))


def _concerns(account: Account, dossier: Dossier, container: str | None) -> bool:
    if account.name != dossier.pod.metadata.name:
        return False
    if container is None:
        return True
    for each in dossier.evidence:
        if each.id in account.citations and "{" in each.source.field_path:
            return f"{{{container}}}" in each.source.field_path
    return True


def _bare(answer: str) -> str:
    return answer.lstrip(" :").strip()


def _finding(
    dossier: Dossier, failing: _Failing, *, container: str, ended: Terminated | None
) -> Finding:
    probe = failing.probe
    spec = probe_spec(dossier, container or None, probe)
    answer, told = _answered(failing, spec)
    told = {
        **told,
        "probe": probe,
        "container": container,
        "of": f" of container {container}" * bool(container),
    }
    words = {**told, "answer": clip(failing.answer, characters=LONGEST_ANSWER).rstrip(". ")}
    cause = [sentence(tell(answer.cause, words))]
    if spec is not None:
        cause.append(f"The probe is {spec.asks} ({spec.times}).")
        cause.extend(_odd(spec, failing, dossier, container))
    cause.append(_consequence(dossier, probe, container, ended))
    cause.extend(_log_says(dossier, container))
    citations = _citations(dossier, failing, container)
    explanation = f"{MEANS[probe]} {tell(answer.explanation, words)}"
    namespace, pod = dossier.owner.namespace, dossier.pod.metadata.name
    return Finding(
        rule=f"probe.{answer.name}",
        category=Category.PROBE,
        summary=clip(tell(answer.summary, words), characters=LONGEST_SUMMARY),
        root_cause=" ".join(each for each in cause if each),
        explanation=explanation,
        confidence=answer.confidence,
        citations=citations,
        fixes=(
            Fix(
                title=clip(tell(answer.advice, words), characters=LONGEST_SUMMARY),
                rationale=explanation,
                command=f"kubectl -n {namespace} describe pod {pod}",
                citations=citations,
            ),
        ),
    )


def _answered(failing: _Failing, spec: ProbeSpec | None) -> tuple[Answer, dict[str, str]]:
    """The first known answer, and the words that it names; asked where it is known."""
    told = {
        "path": spec.path if spec is not None else "",
        "port": spec.port if spec is not None else "",
        "timeout": str(spec.timeout) if spec is not None else "",
        "command": clip(" ".join(spec.command), characters=80) if spec is not None else "",
    }
    for answer in ANSWERS:
        found = answer.pattern.search(failing.answer)
        if found is not None:
            named = {key: value for key, value in found.groupdict().items() if value}
            return answer, {**{key: "" for key in answer.pattern.groupindex}, **told, **named}
    return ANSWERS[-1], told


def _odd(spec: ProbeSpec, failing: _Failing, dossier: Dossier, container: str) -> list[str]:
    """What does not fit between the probe and the rest of the spec."""
    said = []
    if spec.port_is_odd:
        numbers = ", ".join(spec.declared_ports)
        said.append(
            f"Port {spec.port} is not among the ports that the container declares ({numbers})."
        )
    startup = probe_spec(dossier, container or None, "startup")
    if failing.probe == "liveness" and startup is None:
        said.append(
            f"It begins {spec.initial_delay} s after the start and allows {spec.patience} s; that "
            "is too short for a program that starts slower."
        )
    elif failing.probe == "startup":
        said.append(f"It allows {spec.patience} s for the start.")
    return said


def _consequence(dossier: Dossier, probe: str, container: str, ended: Terminated | None) -> str:
    symptom = dossier.symptom
    if probe == "readiness":
        return "It gets no requests meanwhile (not ready)."
    of = f"container {container}" if container else "the container"
    if symptom is not None and symptom.exit_code is not None:
        return f"The kubelet kills and restarts {of} ({ended_with(symptom)}, {symptom.reason})."
    if ended is not None:
        return f"The kubelet kills and restarts {of} (exit code {ended.exit_code})."
    return f"The kubelet kills and restarts {of} because of it."


def _log_says(dossier: Dossier, container: str) -> list[str]:
    """What the program itself said, where it speaks of an error."""
    log = dossier.log(container)
    if log is None or not log.entries or log.entries[0].level not in ("fatal", "error"):
        return []
    heard = hear(dossier)
    if heard is not None and not heard.idea.weak:
        told = tell(heard.idea.summary, words_of(heard, dossier))
        return [f"Its log tells: {clip(told, characters=140)}."]
    return [f'Its log says: "{clip(log.decisive, characters=140)}"']


def _citations(dossier: Dossier, failing: _Failing, container: str) -> tuple[str, ...]:
    found = dict.fromkeys(
        (
            *failing.citations,
            *dossier.cite(EvidenceKind.EVENT, containing=f"{failing.probe} probe"),
            *dossier.cite(EvidenceKind.STATUS, containing=f"container {container}:"),
            *dossier.cite(EvidenceKind.SPEC, containing=f"container {container}:"),
        )
    )
    return tuple(found)[:8] or citing(dossier)
