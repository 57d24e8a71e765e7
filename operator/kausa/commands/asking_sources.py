"""Where `kausa ask` looks, and what it reads of files: what fails in them is diagnosed first."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kausa.cluster.workloads import is_watched
from kausa.commands.asking_links import follows_among, placed, with_names_below
from kausa.commands.snapshot_files import snapshot_of
from kausa.detection.symptom import Upstream
from kausa.diagnosis.answering import Matters
from kausa.diagnosis.matters import matter_of_dossier
from kausa.diagnosis.naming import naming_of, spelled
from kausa.evidence.redaction import Redactor
from kausa.evidence.redaction_key import load_or_make_key
from kausa.offline.answers import Answer
from kausa.offline.diagnosing import OfflineDiagnosis, moment_of
from kausa.offline.targets import Target, TargetError, check_namespace, find_target
from kausa.recall.query import QueryAnalysis
from kausa.settings import Settings

__all__ = ["FilesSource", "where_to_look"]


MOST_NAMED = 8
"""Objects that a question names and that are read for it, be they well."""


class FilesSource:
    """What fails in files, diagnosed on the way."""

    def __init__(self, path: Path, *, settings: Settings, question: str) -> None:
        self._path = path
        self._settings = settings
        self._question = question
        self.follows: dict[str, str] = {}
        """What follows from what, by labels; known once it was asked."""

    async def find(self, analysis: QueryAnalysis, *, namespaces: tuple[str, ...]) -> Matters:
        """Everything that fails, and what the question names. Raises `KausaError`."""
        snapshot = await asyncio.to_thread(snapshot_of, self._path)
        settings = self._settings
        redactor = Redactor(
            key=load_or_make_key(settings.redaction_key_path),
            emails=settings.redact_emails,
            addresses=settings.redact_addresses,
        )
        pipeline = OfflineDiagnosis(snapshot, redactor=redactor, now=moment_of(snapshot))
        where, notes = where_to_look(analysis, namespaces)
        answers: list[Answer] = []
        for namespace in where or ("",):
            if namespace:
                check_namespace(snapshot, namespace)
            answers += await pipeline.of_all(question=self._question, namespace=namespace)
        told = {(each.subject.owner.kind, each.subject.owner.name) for each in answers}
        every = list(snapshot.every())
        for target in _named(analysis, where, every)[:MOST_NAMED]:
            if (target.kind, target.name) in told:
                continue
            try:
                reference = find_target(snapshot, target)
            except TargetError:
                # A guess of who made a Pod of this name; the service says what is not known.
                continue
            asked = await pipeline.of_target(reference, question=self._question)
            answers += [each for each in asked[:1] if _key(each) not in told]
            told |= {_key(each) for each in asked[:1]}
        found = [(placed(matter_of_dossier(e.dossier, e.diagnosis)), _above(e)) for e in answers]
        self.follows = follows_among(found)
        matters = with_names_below([each for each, _ in found], follows=self.follows)
        return Matters(
            found=matters,
            notes=(*notes, *snapshot.notes, *pipeline.notes),
            names=frozenset(_name(each).lower() for each in every),
            places=frozenset(
                (
                    *(_name(each) for each in every if each["kind"] in ("Namespace", "Node")),
                    *snapshot.coverage.namespaces,
                )
            ),
            objects=_objects(every),
        )


def where_to_look(
    analysis: QueryAnalysis, namespaces: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The namespaces to look into (none: all), and notes. What was allowed is never widened."""
    if not namespaces:
        return analysis.namespaces, ()
    outside = [each for each in analysis.namespaces if each not in namespaces]
    if not outside:
        return analysis.namespaces or namespaces, ()
    return namespaces, (f"Namespace {', '.join(outside)} is not looked into (-n says where).",)


def _named(
    analysis: QueryAnalysis, where: tuple[str, ...], every: Sequence[dict[str, Any]]
) -> list[Target]:
    """What the question names: by its kind, by its name alone, or by that of a Pod of it."""
    namespace = where[0] if len(where) == 1 else None
    spelt = spelled(analysis)
    told = [(each.kind, each.name, each.namespace or namespace) for each in spelt]
    owners = [each.partition("/") for each in analysis.owners if "/" in each]
    told += [(kind, name, namespace) for kind, _, name in owners]
    told += [("Pod", each, namespace) for each in analysis.pods]
    there = _objects(every)
    known = naming_of(analysis, known=(), owners=()).wanted
    alone = known - {each.name for each in spelt if (each.kind.lower(), each.name) in there}
    for each in every:
        if _name(each).lower() in alone and is_watched(each["apiVersion"], each["kind"]):
            told.append((each["kind"], _name(each), _namespace(each) or None))
    found = [Target(kind=kind, name=name, namespace=place) for kind, name, place in told]
    return list(dict.fromkeys(found))


def _objects(every: Sequence[dict[str, Any]]) -> frozenset[tuple[str, str]]:
    """Kinds and names of all that is there, be it only in what an Event is about."""
    found = {(str(each["kind"]).lower(), _name(each).lower()) for each in every}
    for each in every:
        about = each.get("involvedObject") if each["kind"] == "Event" else None
        if isinstance(about, dict):
            found.add((str(about.get("kind")).lower(), str(about.get("name")).lower()))
    return frozenset(found)


def _name(found: dict[str, Any]) -> str:
    return str(found["metadata"]["name"])


def _namespace(found: dict[str, Any]) -> str:
    return str(found["metadata"].get("namespace") or "")


def _key(answer: Answer) -> tuple[str, str]:
    return (answer.subject.owner.kind, answer.subject.owner.name)


def _above(answer: Answer) -> Upstream | None:
    symptom = answer.subject.symptom
    return symptom.caused_by if symptom is not None else None
