"""What `kausa ask` does, apart from its options: asking for help imports none of this."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kausa.commands.asking_links import Linked, causes_first
from kausa.commands.asking_memory import AskedMemory
from kausa.commands.asking_output import AsJson, AsText
from kausa.commands.asking_sources import FilesSource
from kausa.commands.given_settings import given_settings
from kausa.diagnosis.answering import Answering, Concluded, FindsMatters, Known, Remembered
from kausa.errors import KausaError
from kausa.evidence.redaction import Redactor
from kausa.settings import Settings
from kausa.telemetry.logs import configure_logs

__all__ = ["Request", "run"]


class NoModelError(KausaError):
    """A model was asked for, and none is configured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a person asked for."""

    question: str
    namespaces: tuple[str, ...] = ()
    source: Path | None = None
    kubeconfig: Path | None = None
    context: str | None = None
    model: str | None = None
    with_memory: bool = True
    output: str = "text"


def run(request: Request) -> bool:
    """Answer and print; whether anything is known.

    Raises:
        KausaError: the cluster, the files or a setting cannot be used.
    """
    configure_logs(level="critical")
    return asyncio.run(_run(request, given_settings("kausa ask")))


async def _run(request: Request, settings: Settings) -> bool:
    # No model, no memory and no terminal needs a secret that came with a pasted line.
    redactor = Redactor(
        key=secrets.token_bytes(32),
        emails=settings.redact_emails,
        addresses=settings.redact_addresses,
    )
    question = redactor.text(request.question).value
    namespaces = request.namespaces
    if settings.namespace is not None:
        # A namespaced installation shows its own namespace, whatever is asked for.
        namespaces = (settings.namespace,)
    known = False
    async with AsyncExitStack() as stack:
        source = await _source(request, settings, question, stack)
        printer = AsJson(question, source) if request.output == "json" else AsText(source)
        service = _service(request, settings, source, redactor, stack)
        async with aclosing(service.answer(question, namespaces=namespaces)) as steps:
            async for step in steps:
                if isinstance(step, Known):
                    step = causes_first(step, follows=source.follows)
                printer.take(step)
                if isinstance(step, Known):
                    known = known or bool(step.matters)
                elif isinstance(step, Remembered):
                    known = known or bool(step.failures or step.runbooks)
                elif isinstance(step, Concluded):
                    known = known or step.reply is not None
    printer.end()
    return known


class _Linked(FindsMatters, Linked, Protocol):
    """A source that knows what follows from what."""


async def _source(
    request: Request, settings: Settings, question: str, stack: AsyncExitStack
) -> _Linked:
    if request.source is not None:
        return FilesSource(request.source, settings=settings, question=question)
    # The client of the cluster and what reads its resources, which files do not need.
    from kausa.commands.asking_cluster import ClusterSource

    return await stack.enter_async_context(
        ClusterSource.connected(settings, kubeconfig=request.kubeconfig, context=request.context)
    )


def _service(
    request: Request,
    settings: Settings,
    source: FindsMatters,
    redactor: Redactor,
    stack: AsyncExitStack,
) -> Answering:
    memory = None
    if request.with_memory and settings.memory_enabled:
        memory = AskedMemory(settings)
        stack.push_async_callback(memory.close)
    if request.model is not None and not settings.model_url:
        raise NoModelError(
            "No model is configured. Set KAUSA_MODEL_URL to the address of a model server, or "
            "leave --model out."
        )
    if not settings.model_url:
        return Answering(source=source, memory=memory, model=None)
    # All of HTTP, which nobody needs who asks no model.
    from kausa.commands.asking_model import AskedModel
    from kausa.diagnosis.model.opening import open_models

    # A pull would end with this process, long before the model is there.
    models = open_models(
        settings.model_copy(update={"model_pull": False}),
        redact=lambda text: redactor.text(text).value,
    )
    model = None
    if models is not None:
        stack.push_async_callback(models.close)
        model = AskedModel(
            models,
            forced=request.model,
            timeout_seconds=settings.model_timeout_seconds,
            would_pull=settings.model_pull,
        )
    return Answering(source=source, memory=memory, model=model)
