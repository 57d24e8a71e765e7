"""Probes that ask the wrong port, or do not wait long enough for the answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kausa.diagnosis.finding import Diagnosis, Fix
from kausa.diagnosis.remediation.workload import Workload
from kausa.evidence.dossier import Dossier
from kausa.evidence.fields import number, rows, table, text
from kausa.resources.diagnosis import Risk
from kausa.resources.evidence import EvidenceKind

__all__ = ["probe_fixes"]

PATIENCE_SECONDS = 5
SHORTEST_START_SECONDS, LONGEST_START_SECONDS = 60, 600
"""Who is not there after ten minutes hardly comes."""
_FAILED = re.compile(r"\b(?P<which>Liveness|Readiness|Startup) probe failed", re.IGNORECASE)
_REFUSED = re.compile(r"dial tcp [^\s]*?:(?P<port>\d{1,5}): (?:connect: )?connection refused")
_TOO_LATE = re.compile(
    r"context deadline exceeded|Client\.Timeout exceeded|timed? ?out after|i/o timeout",
    re.IGNORECASE,
)
_LISTENS = re.compile(
    r"(?i)\blisten(?:s|ing)?(?: (?:on|at|for))?(?: (?:address|addr|interface|port|all interfaces))?"
    r"(?: |=|: ?)[\"'\[(<]?"
    r"(?:(?:https?|tcp)://)?(?:0\.0\.0\.0|\[?::\]?|\*|\+|)(?:,? ?port |:)(?P<port>\d{2,5})\b"
    r"(?![.:\d])"
)
"""On all interfaces: the kubelet does not reach a program that listens on one of its own."""
_BESIDE_THE_POINT = re.compile(
    r"(?i)metric|prometheus|telemetry|debug|inspector|pprof|profil|jdwp|jmx|actuator|management|"
    r"fail|error|cannot|can't|could not|unable|\bnot\b|no longer|stop|clos|"
    r"admin|health|gossip|peer|cluster|raft|replicat|loopback|localhost|\b127\.|\[::1\]"
)
"""Words of lines that tell of no door, or of another than that of the program's own service."""
_HANDLERS = ("httpGet", "tcpSocket", "grpc")


def probe_fixes(dossier: Dossier, diagnosis: Diagnosis, workload: Workload) -> Iterator[Fix]:
    """For each probe of the container that failed: another port, or more patience."""
    symptom = dossier.symptom
    found = workload.container(symptom.container) if symptom is not None else None
    if symptom is None or found is None or symptom.container is None:
        return
    container = found[1]
    for event in dossier.evidence:
        failed = _FAILED.search(event.text) if event.kind is EvidenceKind.EVENT else None
        if failed is None:
            continue
        which = failed["which"].lower()
        probe = table(container, f"{which}Probe")
        if not probe:
            continue
        change = (
            _other_port(dossier, container, probe, event.text)
            or _patience(probe, event.text)
            or (_more_time(probe, event.text) if which == "startup" else None)
        )
        if change is None:
            continue
        yield Fix(
            title=f"{change.title} the {which} probe of container {symptom.container} {change.to}",
            rationale=change.why,
            patch=workload.container_patch(symptom.container, {f"{which}Probe": change.fields}),
            risk=change.risk,
            citations=tuple(dict.fromkeys((*diagnosis.citations, event.id))),
        )
        return


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """What is changed of a probe, and the words for it."""

    fields: Mapping[str, Any]
    title: str
    to: str
    why: str
    risk: Risk = Risk.LOW


def _other_port(
    dossier: Dossier, container: Mapping[str, Any], probe: Mapping[str, Any], said: str
) -> _Change | None:
    """The port on which the program says that it listens, or the only one that it declares."""
    refused = _REFUSED.search(said)
    handler = next((each for each in _HANDLERS if isinstance(probe.get(each), Mapping)), None)
    if refused is None or handler is None:
        return None
    asked = int(refused["port"])
    heard = _heard_ports(dossier, text(container, "name"))
    declared = {
        port
        for each in rows(container, "ports")
        if text(each, "protocol") in ("", "TCP") and (port := number(each, "containerPort"))
    }
    if asked in heard:
        return None
    if len(heard) == 1:
        (right,), why = heard, f"nothing listens on {asked}, and its log says that it listens on"
    elif not heard and len(declared) == 1 and asked not in declared:
        (right,), why = declared, f"nothing listens on {asked}, and the only port it declares is"
    else:
        return None
    return _Change(
        fields={handler: {"port": right}},
        title="Point",
        to=f"to port {right}",
        why=f"The connection was refused: {why} {right}.",
        # What a container declares somebody meant; a line of a log is read.
        risk=Risk.LOW if right in declared else Risk.MEDIUM,
    )


def _more_time(probe: Mapping[str, Any], said: str) -> _Change | None:
    """For a program that does not listen yet when its startup probe gives up."""
    period = number(probe, "periodSeconds") or 10
    given = period * (number(probe, "failureThreshold") or 3)
    if _REFUSED.search(said) is None or given >= LONGEST_START_SECONDS:
        return None
    wanted = min(max(2 * given, SHORTEST_START_SECONDS), LONGEST_START_SECONDS)
    failures = -(-wanted // period)
    return _Change(
        fields={"failureThreshold": failures},
        title="Give",
        to=f"{failures * period} s instead of {given}",
        why=f"Nothing listened within {given} s. If it listens later, it only starts slowly; if it "
        "does not, its log says why.",
    )


def _heard_ports(dossier: Dossier, container: str) -> set[int]:
    """The ports on which the program says, in its log, that it listens for everybody."""
    log = dossier.log(container)
    if log is None:
        return set()
    texts = (log.text, *(each.text for each in log.entries))
    found = {
        int(each["port"])
        for text_ in texts
        for line in text_[:20_000].splitlines()
        if _BESIDE_THE_POINT.search(line) is None
        for each in _LISTENS.finditer(line)
    }
    return {port for port in found if port < 65_536}


def _patience(probe: Mapping[str, Any], said: str) -> _Change | None:
    seconds = number(probe, "timeoutSeconds") or 1
    if _TOO_LATE.search(said) is None or seconds >= PATIENCE_SECONDS:
        return None
    return _Change(
        fields={"timeoutSeconds": PATIENCE_SECONDS},
        title="Give",
        to=f"{PATIENCE_SECONDS} s to be answered",
        why=f"No answer came within {seconds} s. If it comes within {PATIENCE_SECONDS} s the "
        "program is slow and not dead; find out what slows it.",
    )
