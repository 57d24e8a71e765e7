"""Where `kausa ask` takes its answers from: resources or files, a memory, a model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from kausa.cluster.client import KubernetesClient
from kausa.cluster.snapshot import load_snapshot
from kausa.commands.run import credentials_of
from kausa.controller.memory_parts import recall_options
from kausa.controller.store import FAILURE_DIAGNOSES, RESOURCES_A_PAGE, parse_body
from kausa.diagnosis.answering import Matters
from kausa.diagnosis.matters import Matter, matter_of_dossier, matter_of_resource
from kausa.diagnosis.model.answers import digest_of
from kausa.diagnosis.model.asking import OnSentence
from kausa.diagnosis.model.choosing import of_request
from kausa.diagnosis.model.models import Models
from kausa.diagnosis.model.protocol import ModelReply, ModelRequest
from kausa.evidence.redaction import Redactor
from kausa.evidence.redaction_key import load_or_make_key
from kausa.memory.audit import acting_as, this_user
from kausa.memory.filters import Filter, OneOf
from kausa.memory.opening import open_memory
from kausa.memory.service import FailureMemory
from kausa.memory.store import COLLECTIONS
from kausa.offline.diagnosing import Answer, OfflineDiagnosis, moment_of
from kausa.offline.targets import Target, TargetError, check_namespace, find_target
from kausa.recall.ask import Asked
from kausa.recall.query import QueryAnalysis
from kausa.recall.recall import Recall
from kausa.recall.requests import RecallFilters
from kausa.resources.group import API_VERSION, FAILURE_DIAGNOSIS_KIND
from kausa.settings import Settings

__all__ = ["AskedMemory", "AskedModel", "ClusterSource", "FilesSource"]

MOST_RESOURCES = 2_000
MOST_REMEMBERED = 3
START_SECONDS = 60.0
SEARCH_SECONDS = 30.0


class ClusterSource:
    """The FailureDiagnosis resources that the operator wrote."""

    def __init__(self, client: KubernetesClient) -> None:
        self._client = client

    @classmethod
    @asynccontextmanager
    async def connected(
        cls, settings: Settings, *, kubeconfig: Path | None, context: str | None
    ) -> AsyncIterator[ClusterSource]:
        """With a connection of its own. Raises `KubeconfigError`."""
        async with KubernetesClient(credentials_of(kubeconfig, context=context)) as client:
            yield cls(client)

    async def find(self, analysis: QueryAnalysis, *, namespaces: tuple[str, ...]) -> Matters:
        """Every failure that is diagnosed. Raises `ClusterError`."""
        where, notes = _where(analysis, namespaces)
        found: list[Matter] = []
        for namespace in where or (None,):
            found += await self._of(namespace, room=MOST_RESOURCES - len(found))
        if len(found) >= MOST_RESOURCES:
            notes += (f"Only {MOST_RESOURCES} failures were read; name a namespace (-n).",)
        return Matters(found=tuple(found), notes=notes)

    async def _of(self, namespace: str | None, *, room: int) -> list[Matter]:
        found: list[Matter] = []
        parameters = {"limit": str(RESOURCES_A_PAGE)}
        while len(found) < room:
            page = await self._client.list_page(
                FAILURE_DIAGNOSES.collection(namespace=namespace), parameters=parameters
            )
            for item in page.items:
                body = msgspec.json.decode(item, type=dict[str, Any])
                # A list's items come without these two.
                whole = {"apiVersion": API_VERSION, "kind": FAILURE_DIAGNOSIS_KIND, **body}
                resource = parse_body(whole)
                matter = matter_of_resource(resource) if resource is not None else None
                if matter is not None:
                    found.append(matter)
            if not page.metadata.continue_:
                break
            parameters["continue"] = page.metadata.continue_
        return found[:room]


class FilesSource:
    """What fails in files, diagnosed on the way."""

    def __init__(self, path: Path, *, settings: Settings, question: str) -> None:
        self._path = path
        self._settings = settings
        self._question = question

    async def find(self, analysis: QueryAnalysis, *, namespaces: tuple[str, ...]) -> Matters:
        """Everything that fails, and what the question names. Raises `KausaError`."""
        snapshot = await asyncio.to_thread(load_snapshot, self._path)
        settings = self._settings
        redactor = Redactor(
            key=load_or_make_key(settings.redaction_key_path),
            emails=settings.redact_emails,
            addresses=settings.redact_addresses,
        )
        pipeline = OfflineDiagnosis(snapshot, redactor=redactor, now=moment_of(snapshot))
        where, notes = _where(analysis, namespaces)
        answers: list[Answer] = []
        for namespace in where or ("",):
            if namespace:
                check_namespace(snapshot, namespace)
            answers += await pipeline.of_all(question=self._question, namespace=namespace)
        told = {(each.subject.owner.kind, each.subject.owner.name) for each in answers}
        for target in _named(analysis, where):
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
        matters = tuple(matter_of_dossier(each.dossier, each.diagnosis) for each in answers)
        every = list(snapshot.every())
        return Matters(
            found=matters,
            notes=(*notes, *snapshot.notes, *pipeline.notes),
            names=frozenset(str(each["metadata"]["name"]).lower() for each in every),
            places=frozenset(
                str(each["metadata"]["name"])
                for each in every
                if each["kind"] in ("Namespace", "Node")
            ),
        )


class AskedMemory:
    """The memory that the settings name, opened for one question."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._opened: tuple[FailureMemory, Recall] | None = None

    async def ask(self, question: str, *, namespaces: tuple[str, ...]) -> Asked:
        """Raises `MemoryError_`."""
        settings = self._settings
        if self._opened is None:
            memory = open_memory(settings)
            # A person waits for a second reading; a diagnosis would not.
            options = replace(recall_options(settings), rerank_seconds=SEARCH_SECONDS)
            self._opened = (memory, Recall(memory=memory, options=options))
        memory, recall = self._opened
        with acting_as(f"kausa ask ({this_user()})"):
            await memory.start(deadline_seconds=START_SECONDS)
            asked = await recall.ask(
                question,
                filters=RecallFilters(
                    cluster=settings.cluster_name,
                    namespaces=namespaces,
                    everywhere=settings.runbooks_of_everybody,
                ),
                limit=MOST_REMEMBERED,
                rerank=True,
                deadline_seconds=SEARCH_SECONDS,
            )
            if asked.failures or asked.runbooks or asked.weak:
                return asked
            where = Filter(must=(OneOf("cluster", (settings.cluster_name,)),))
            for each in COLLECTIONS:
                if await memory.count(each, where=where, deadline_seconds=SEARCH_SECONDS):
                    return asked
            note = (
                f"The memory holds nothing of the cluster {settings.cluster_name!r} "
                "(KAUSA_CLUSTER_NAME): it is empty."
            )
            return replace(asked, notes=(note, *asked.notes))

    async def close(self) -> None:
        """Let it go."""
        if self._opened is not None:
            memory, recall = self._opened
            await recall.close()
            await memory.close()


class AskedModel:
    """The configured models, for one question of a person who waits."""

    def __init__(self, models: Models, *, forced: str | None, timeout_seconds: float) -> None:
        self._models = models
        self._forced = forced
        self._timeout_seconds = timeout_seconds

    async def __call__(self, request: ModelRequest, *, on_sentence: OnSentence) -> ModelReply:
        """Raises `ModelError`."""
        models = self._models
        choice = models.choice_for(of_request(request), forced=self._forced)
        choice = await models.available(choice)
        return await models.ask(
            choice,
            request,
            digest=digest_of(repr(request), choice),
            deadline_seconds=self._timeout_seconds,
            on_sentence=on_sentence,
        )


def _where(
    analysis: QueryAnalysis, namespaces: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The namespaces to look into (none: all), and notes. What was allowed is never widened."""
    if not namespaces:
        return analysis.namespaces, ()
    outside = [each for each in analysis.namespaces if each not in namespaces]
    if not outside:
        return analysis.namespaces or namespaces, ()
    return namespaces, (f"Namespace {', '.join(outside)} is not looked into (-n says where).",)


def _named(analysis: QueryAnalysis, where: tuple[str, ...]) -> list[Target]:
    namespace = where[0] if len(where) == 1 else None
    owners = [each.partition("/") for each in analysis.owners if "/" in each]
    named = [(kind, name) for kind, _, name in owners] + [("Pod", each) for each in analysis.pods]
    return [Target(kind=kind, name=name, namespace=namespace) for kind, name in named]


def _key(answer: Answer) -> tuple[str, str]:
    return (answer.subject.owner.kind, answer.subject.owner.name)
