"""The model's part of `kausa eval`: the configured one, asked about what the rules found."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import click

from kausa.commands.given_settings import given_settings
from kausa.diagnosis.consultation import Consultant
from kausa.diagnosis.errors import ModelError
from kausa.diagnosis.model.models import Models
from kausa.diagnosis.model.opening import open_models
from kausa.errors import KausaError
from kausa.evaluation.consulting import Consulted, consult_all
from kausa.evaluation.model_report import consulted_line
from kausa.evaluation.running import Result
from kausa.evidence.redaction import Redactor
from kausa.settings import Settings

__all__ = ["NoModelError", "ask_about", "check_model"]


class NoModelError(KausaError):
    """A model was asked for, and there is none that answers."""


def check_model() -> None:
    """See that a model answers, before minutes are spent on cases.

    Raises:
        NoModelError: none is configured, or it does not answer.
    """
    asyncio.run(_check(_opened(given_settings("kausa eval"))))


async def ask_about(
    results: Sequence[Result], *, redactor: Redactor, at_once: int, seconds: float
) -> tuple[tuple[Consulted, ...], str]:
    """Ask about each result, tell of each question as it is answered; and who was asked.

    No question begins after `seconds`.

    Raises:
        NoModelError: none is configured.
    """
    settings = Settings.from_environment()
    models = _opened(settings, redactor=redactor)
    consultant = Consultant(models=models, below_confidence=settings.model_below_confidence)
    try:
        every = await consult_all(
            results,
            consultant=consultant,
            redactor=redactor,
            at_once=at_once,
            seconds=seconds,
            told=_tell,
        )
    finally:
        await models.close()
    names = dict.fromkeys((models.names.simple, models.names.reasoning))
    return every, " and ".join(names)


def _tell(each: Consulted) -> None:
    if each.asked:
        click.echo(consulted_line(each), err=True)


async def _check(models: Models) -> None:
    try:
        await models.check()
    except ModelError as error:
        raise NoModelError(f"The model does not answer: {error}") from error
    finally:
        await models.close()


def _opened(settings: Settings, *, redactor: Redactor | None = None) -> Models:
    models = open_models(
        settings, redact=lambda text: redactor.text(text).value if redactor is not None else ""
    )
    if models is None:
        raise NoModelError(
            "No model is configured. Set KAUSA_MODEL_URL to the address of a model server (and "
            "KAUSA_SIMPLE_MODEL, KAUSA_REASONING_MODEL), or leave --model out."
        )
    return models
