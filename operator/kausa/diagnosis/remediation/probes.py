"""Probes that ask the wrong port, or do not wait long enough for the answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
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
    r"(?i)\b(?:listen(?:s|ing)?|serv(?:es|ing|er started)|started|running|bound|bind(?:ing)?)\b"
    r"[^\n]{0,60}?(?::|\bport[ :=(]{1,3})(?P<port>\d{2,5})\b(?![.:\d])"
)
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
        fields, title, why = change
        yield Fix(
            title=f"{title} the {which} probe of container {symptom.container}"
            + (f" {fields[1]}" if fields[1] else ""),
            rationale=why,
            patch=workload.container_patch(symptom.container, {f"{which}Probe": fields[0]}),
            risk=Risk.LOW,
            citations=tuple(dict.fromkeys((*diagnosis.citations, event.id))),
        )
        return


_Change = tuple[tuple[Mapping[str, Any], str], str, str]


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
    if len(heard) == 1 and asked not in heard:
        (right,), why = heard, f"nothing listens on {asked}, and its log says that it listens on"
    elif not heard and len(declared) == 1 and asked not in declared:
        (right,), why = declared, f"nothing listens on {asked}, and the only port it declares is"
    else:
        return None
    return (
        ({handler: {"port": right}}, f"to port {right}"),
        "Point",
        f"The connection was refused: {why} {right}.",
    )


def _more_time(probe: Mapping[str, Any], said: str) -> _Change | None:
    """For a program that does not listen yet when its startup probe gives up."""
    period = number(probe, "periodSeconds") or 10
    given = period * (number(probe, "failureThreshold") or 3)
    if _REFUSED.search(said) is None or given >= LONGEST_START_SECONDS:
        return None
    wanted = min(max(2 * given, SHORTEST_START_SECONDS), LONGEST_START_SECONDS)
    failures = -(-wanted // period)
    return (
        ({"failureThreshold": failures}, f"{failures * period} s instead of {given}"),
        "Give",
        f"Nothing listened within {given} s. If it listens later, it only starts slowly; if it "
        "does not, its log says why.",
    )


def _heard_ports(dossier: Dossier, container: str) -> set[int]:
    """The ports on which the program says, in its log, that it listens."""
    log = dossier.log(container)
    if log is None:
        return set()
    lines = (log.text, *(each.text for each in log.entries))
    found = {int(each["port"]) for line in lines for each in _LISTENS.finditer(line[:20_000])}
    return {port for port in found if port < 65_536}


def _patience(probe: Mapping[str, Any], said: str) -> _Change | None:
    seconds = number(probe, "timeoutSeconds") or 1
    if _TOO_LATE.search(said) is None or seconds >= PATIENCE_SECONDS:
        return None
    return (
        ({"timeoutSeconds": PATIENCE_SECONDS}, f"{PATIENCE_SECONDS} s to be answered"),
        "Give",
        f"No answer came within {seconds} s. If it comes within {PATIENCE_SECONDS} s the program "
        "is slow and not dead; find out what slows it.",
    )
