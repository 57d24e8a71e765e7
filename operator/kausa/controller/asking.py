"""Diagnoses on demand: somebody set `kausa.dev/diagnose` on a Pod or a workload.

What was asked is kept, as a short hash, on our own resource and never on theirs. So the same value
asks once, a changed one asks again, and a restart of the operator asks nothing twice.
"""

from __future__ import annotations

import hashlib

from kausa.cluster.owners import Owner
from kausa.controller.identity import identify
from kausa.controller.sighting_documents import ASKED_ANNOTATION, new_resource
from kausa.controller.store import FailureDiagnosisStore
from kausa.detection.symptom import Symptom
from kausa.evidence.redaction import Redactor
from kausa.resources.category import Category
from kausa.resources.spec import Trigger
from kausa.telemetry.logs import get_logger

__all__ = ["Asking"]

REASON = "asked"
JUST_DIAGNOSE = "true"
_logger = get_logger("kausa.controller.asking")


class Asking:
    """Turns an annotation into a request on a FailureDiagnosis."""

    def __init__(self, *, store: FailureDiagnosisStore, redactor: Redactor, cluster: str) -> None:
        self._store = store
        self._redactor = redactor
        self._cluster = cluster

    async def about_failing(
        self, name: str, *, owner: Owner, container: str | None, question: str
    ) -> None:
        """The failure has a resource: that one answers."""
        await self._request(name, owner=owner, container=container, question=question)

    async def about_healthy(self, pod: str | None, *, owner: Owner, question: str) -> None:
        """Nothing fails: the owner gets a resource for answers, one however many Pods are asked
        about (an annotated template makes hundreds). `pod` is the one that was asked about.
        """
        asked = Symptom(
            category=Category.OTHER, reason=REASON, reason_class=REASON, detail="", message=""
        )
        name = identify(cluster=self._cluster, owner=owner, symptom=asked).name
        await self._request(name, owner=owner, container=None, question=question, pod=pod)

    async def _request(
        self,
        name: str,
        *,
        owner: Owner,
        container: str | None,
        question: str,
        pod: str | None = None,
    ) -> None:
        asked = hashlib.blake2b(question.encode(errors="replace"), digest_size=6).hexdigest()
        found = await self._store.get(namespace=owner.namespace, name=name)
        annotations = (found.metadata.annotations if found is not None else None) or {}
        if annotations.get(ASKED_ANNOTATION) == asked:
            return
        words = None if question == JUST_DIAGNOSE else self._redactor.text(question).value
        await self._store.apply(
            new_resource(
                name=name,
                owner=owner,
                container=found.spec.target.container if found is not None else container,
                # Also where the resource was there already: that makes a new generation of it,
                # so that it is diagnosed again.
                trigger=Trigger.ANNOTATION,
                question=words,
                asked=asked,
                pod=pod,
            )
        )
        _logger.info("Was asked", namespace=owner.namespace, name=name)
