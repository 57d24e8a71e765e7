"""What `kausa ask` does, apart from its options: asking for help imports none of this."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from pathlib import Path

from kausa.commands.asking_output import AsJson, AsText
from kausa.commands.asking_sources import (
    AskedMemory,
    AskedModel,
    ClusterSource,
    FilesSource,
)
from kausa.diagnosis.answering import Answering, Concluded, FindsMatters, Known, Remembered
from kausa.diagnosis.model.opening import open_models
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
    return asyncio.run(_run(request, Settings.from_environment()))


async def _run(request: Request, settings: Settings) -> bool:
    # No model, no memory and no terminal needs a secret that came with a pasted line.
    redactor = Redactor(key=secrets.token_bytes(32))
    question = redactor.text(request.question).value
    namespaces = request.namespaces
    if settings.namespace is not None:
        # A namespaced installation shows its own namespace, whatever is asked for.
        namespaces = (settings.namespace,)
    printer = AsJson(question) if request.output == "json" else AsText()
    known = False
    async with AsyncExitStack() as stack:
        service = await _service(request, settings, redactor, question, stack)
        async with aclosing(service.answer(question, namespaces=namespaces)) as steps:
            async for step in steps:
                printer.take(step)
                if isinstance(step, Known):
                    known = known or bool(step.matters)
                elif isinstance(step, Remembered):
                    known = known or bool(step.failures or step.runbooks)
                elif isinstance(step, Concluded):
                    known = known or step.reply is not None
    printer.end()
    return known


async def _service(
    request: Request,
    settings: Settings,
    redactor: Redactor,
    question: str,
    stack: AsyncExitStack,
) -> Answering:
    source: FindsMatters
    if request.source is not None:
        source = FilesSource(request.source, settings=settings, question=question)
    else:
        source = await stack.enter_async_context(
            ClusterSource.connected(
                settings, kubeconfig=request.kubeconfig, context=request.context
            )
        )
    memory = None
    if request.with_memory and settings.memory_enabled:
        memory = AskedMemory(settings)
        stack.push_async_callback(memory.close)
    if request.model is not None and not settings.model_url:
        raise NoModelError(
            "No model is configured. Set KAUSA_MODEL_URL to the address of a model server, or "
            "leave --model out."
        )
    models = open_models(settings, redact=lambda text: redactor.text(text).value)
    model = None
    if models is not None:
        stack.push_async_callback(models.close)
        model = AskedModel(
            models,
            forced=request.model,
            timeout_seconds=settings.model_timeout_seconds,
        )
    return Answering(source=source, memory=memory, model=model)
