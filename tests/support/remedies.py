"""Diagnoses, dossiers with changes, and what is proposed for them."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import yaml
from support.changes import dossier_of, symptom
from support.templates import deployment, replica_set, template

from kausa.diagnosis.decide import completed
from kausa.diagnosis.finding import Diagnosis, Fix
from kausa.diagnosis.remediation.patches import patch_text
from kausa.evidence.dossier import Dossier, Evidence, Source
from kausa.resources.category import Category
from kausa.resources.diagnosis import DecidedBy, DryRun
from kausa.resources.evidence import EvidenceKind

__all__ = ["after", "first_patch", "of_api", "said", "still", "with_event"]


def said(category: Category | None, summary: str = "it failed", **known: Any) -> Diagnosis:
    """What rules decided."""
    return Diagnosis(
        category=category,
        summary=summary,
        root_cause="",
        explanation="Because.",
        confidence=90,
        decided_by=DecidedBy.RULES,
        citations=("E1",),
        **known,
    )


def after(
    new: dict[str, Any], category: Category, *, old: dict[str, Any] | None = None, **known: Any
) -> Dossier:
    """The dossier of a failure three minutes after a rollout."""
    owner = {**deployment(new)}
    return asyncio.run(
        dossier_of(
            owner,
            replica_set(2, old or template(), seconds=-86_400, ready=2),
            replica_set(3, new, seconds=-180),
            seen=symptom(category),
            **known,
        )
    )


def still(made: dict[str, Any], category: Category, **known: Any) -> Dossier:
    """The dossier of a failure before which nothing was changed."""
    return asyncio.run(dossier_of(deployment(made), seen=symptom(category), **known))


def with_event(dossier: Dossier, text: str) -> Dossier:
    """The dossier with one more Event, E40."""
    event = Evidence(
        id="E40",
        kind=EvidenceKind.EVENT,
        source=Source(kind="Pod", name="checkout-5d4f8-abcde"),
        text=text,
    )
    return dataclasses.replace(dossier, evidence=(*dossier.evidence, event))


def first_patch(dossier: Dossier, diagnosis: Diagnosis) -> tuple[Fix, Any]:
    """The first fix, which must be a patch, and the Pod spec or spec that it patches."""
    fix = completed(dossier, diagnosis).fixes[0]
    assert fix.patch is not None, fix
    assert fix.dry_run is DryRun.NOT_RUN
    assert fix.citations
    body = yaml.safe_load(patch_text(fix.patch))
    return fix, body["spec"]["template"]["spec"] if "template" in body["spec"] else body["spec"]


def of_api(body: Any) -> Any:
    """What is patched of the only container."""
    (found,) = body["containers"]
    assert found.pop("name") == "api"
    return found
