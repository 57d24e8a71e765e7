"""What the rules answer to a symptom: gathered about, redacted and decided as in the operator."""

from __future__ import annotations

import asyncio

from support.dossiers import FakeReader
from support.pods import event

from kausa.cluster.objects import ObjectReference, Pod
from kausa.cluster.owners import Owner
from kausa.detection.symptom import Symptom, Upstream
from kausa.diagnosis.finding import Diagnosis
from kausa.diagnosis.rules.engine import decide_by_rules
from kausa.evidence.dossier import Dossier
from kausa.evidence.gather import Gatherer
from kausa.evidence.redaction import Redactor
from kausa.resources.category import Category
from kausa.resources.limits import LINE, SENTENCES

__all__ = ["decided", "gathered", "symptom"]

NO_POD = Pod()
READS = frozenset({"get", "describe", "top", "logs", "rollout"})


def gathered(
    symptom: Symptom,
    *,
    kind: str = "Deployment",
    name: str = "checkout",
    about: Pod = NO_POD,
    events: tuple[tuple[str, str], ...] = (),
    log: str = "",
) -> Dossier:
    """The dossier of an object, through the real gatherer and the real redactor."""
    shown_by = ObjectReference(api_version="v1", kind=kind, namespace="shop", name=name, uid="u-1")
    if kind == "Pod":
        meta = about.metadata
        shown_by = ObjectReference(
            api_version="v1", kind="Pod", namespace="shop", name=meta.name, uid=meta.uid
        )
    reader = FakeReader(
        events=tuple(event(reason, message, field_path="") for reason, message in events),
        current=log,
        previous=log,
    )
    gatherer = Gatherer(reader=reader, redactor=Redactor(key=b"k" * 32))
    owner = Owner(api_version="v1", kind=kind, name=name, uid="u-1", namespace="shop")
    return asyncio.run(gatherer.gather(owner=owner, pod=about, symptom=symptom, shown_by=shown_by))


def decided(found: Dossier) -> Diagnosis:
    """The rules' answer: bounded, with evidence that exists and with commands that only read."""
    diagnosis = decide_by_rules(found)
    ids = {each.id for each in found.evidence}
    assert set(diagnosis.citations) <= ids
    assert len(diagnosis.summary) <= LINE
    assert len(diagnosis.root_cause) <= SENTENCES
    assert "\n" not in diagnosis.summary
    if diagnosis.determined:
        assert diagnosis.citations
    for fix in diagnosis.fixes:
        assert set(fix.citations) <= ids
        assert len(fix.title) <= LINE
        if fix.command is not None:
            tool, verb, *_ = fix.command.replace(" -n shop", "").split()
            assert tool == "kubectl"
            assert verb in READS
    return diagnosis


def symptom(
    category: Category,
    reason: str,
    message: str,
    *,
    in_container: str | None = None,
    caused_by: Upstream | None = None,
) -> Symptom:
    """A symptom of which only what the rules read is told."""
    return Symptom(
        category=category,
        reason=reason,
        reason_class=reason,
        detail="",
        message=message,
        container=in_container,
        caused_by=caused_by,
    )
