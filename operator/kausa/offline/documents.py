"""An answer as the resource that the operator would publish for it; pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import yaml
from pydantic import ValidationError

from kausa.controller.identity import Identity, identify
from kausa.controller.report import Report
from kausa.controller.sighting_documents import failure_part, new_resource
from kausa.detection.counting import FailureCount, PodCount
from kausa.detection.symptom import Symptom
from kausa.diagnosis.consultation import Consultation
from kausa.errors import KausaError
from kausa.offline.answers import Answer
from kausa.offline.order import upstream_of
from kausa.offline.survey import CLUSTER
from kausa.resources.category import Category
from kausa.resources.failure_diagnosis import FailureDiagnosis
from kausa.resources.spec import Trigger

__all__ = ["DocumentError", "as_yaml", "documents"]

UNBROKEN = 100_000
"""Characters in a line."""

ASKED = "asked"
"""The reason in the name of a resource about something that does not fail."""


class DocumentError(KausaError):
    """An object has a name that Kubernetes refuses, so no resource can be about it."""


def documents(answers: tuple[Answer, ...], *, question: str | None = None) -> list[dict[str, Any]]:
    """The FailureDiagnosis of every answer, as the API server would take it.

    Raises:
        DocumentError: an object's name, kind or namespace is none of Kubernetes.
    """
    found = []
    for each in answers:
        above = upstream_of(each, answers)
        upstream = _identity(above).name if above is not None else None
        try:
            found.append(_document(each, question=question, upstream=upstream).to_dict())
        except ValidationError as error:
            why = error.errors(include_url=False, include_input=False)[0]
            raise DocumentError(
                f"No resource can be about {each.subject.label}: "
                f"{'.'.join(map(str, why['loc']))}: {why['msg']}. Use -o text."
            ) from error
    return found


def as_yaml(document: dict[str, Any]) -> str:
    """The document in YAML, its commands and patches in one piece, to be copied."""
    return str(
        yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=UNBROKEN)
    )


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as such."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        style = "|" if "\n" in text else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _Dumper.represent_text)


def _document(answer: Answer, *, question: str | None, upstream: str | None) -> FailureDiagnosis:
    subject, dossier = answer.subject, answer.dossier
    identity = _identity(answer)
    symptom = dossier.symptom
    resource = new_resource(
        name=identity.name,
        owner=subject.owner,
        container=symptom.container if symptom is not None else None,
        trigger=Trigger.MANUAL,
        question=question,
    )
    report = Report(resource, clock=lambda: subject.now)
    report.gathered(dossier, seconds=answer.gather_seconds)
    report.recalled(None)
    report.consulted(answer.consultation or Consultation())
    report.decided(answer.diagnosis, detected_at=None)
    status = report.status()
    if symptom is not None:
        failure = failure_part(
            symptom,
            message=symptom.message,
            fingerprint=identity.fingerprint,
            count=_count(answer, symptom, now=subject.now),
            upstream=upstream,
        )
        status = status.model_copy(update={"failure": failure})
    return resource.model_copy(update={"status": status})


def _identity(answer: Answer) -> Identity:
    symptom = answer.subject.symptom or Symptom(
        category=Category.OTHER, reason=ASKED, reason_class=ASKED, detail="", message=""
    )
    return identify(cluster=CLUSTER, owner=answer.subject.owner, symptom=symptom)


def _count(answer: Answer, symptom: Symptom, *, now: datetime) -> FailureCount:
    since = answer.subject.since or symptom.since
    last = symptom.last_seen or since or now
    count = FailureCount(
        first_seen=min(since or last, last),
        last_seen=last,
        occurrences=max(symptom.occurrences, len(answer.subject.pods)),
    )
    for pod in answer.subject.pods:
        count.pods[pod.uid] = PodCount(uid=pod.uid, name=pod.name, occurrences=1, last_seen=last)
    return count
