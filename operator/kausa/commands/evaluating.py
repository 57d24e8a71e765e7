"""What `kausa eval` does, apart from its options: asking for help imports none of this."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from kausa.errors import KausaError
from kausa.evaluation.cases import Case, CaseError, find_cases, read_case
from kausa.evaluation.report import as_document, case_lines, pass_rate, tables
from kausa.evaluation.running import Result, run_case
from kausa.evidence.redaction import Redactor
from kausa.telemetry.logs import configure_logs

if TYPE_CHECKING:
    from kausa.diagnosis.consultation import Consultant

__all__ = ["Request", "run"]


class NoModelError(KausaError):
    """A model was asked for, and there is none that answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a person asked for."""

    folders: tuple[Path, ...]
    with_model: bool = False
    json_file: Path | None = None
    only: str | None = None
    verbose: bool = False


def run(request: Request) -> float:
    """Run all cases, print what came of them; the rate of those that pass, in percent.

    Raises:
        KausaError: there is no case, one is broken, or the model that is asked for does not answer.
    """
    configure_logs(level="critical")
    cases = _cases(request)
    consultant_for_one = _model() if request.with_model else None
    redactor = Redactor(key=secrets.token_bytes(32))
    results: list[Result] = []
    for case in cases:
        # Each case runs in an event loop of its own, to which the model's client is bound.
        consultant = consultant_for_one() if consultant_for_one is not None else None
        result = run_case(case, redactor=redactor, consultant=consultant)
        results.append(result)
        for line in case_lines(result) if request.verbose or not result.passes else ():
            click.echo(line)
    for line in tables(results):
        click.echo(line)
    if request.json_file is not None:
        _write(request.json_file, results)
    return pass_rate(results)


def _cases(request: Request) -> list[Case]:
    every = [read_case(folder) for folder in find_cases(request.folders)]
    cases = [each for each in every if request.only is None or request.only in each.id]
    if not cases:
        raise CaseError(f"None of {len(every)} cases has {request.only!r} in its id.")
    return cases


def _model() -> Callable[[], Consultant]:
    """Makes one that asks the configured model, which was asked whether it answers."""
    from kausa.diagnosis.consultation import REACHABLE_WITHIN_SECONDS, Consultant
    from kausa.diagnosis.errors import ModelError
    from kausa.diagnosis.model.ollama import OllamaModel
    from kausa.settings import Settings

    settings = Settings.from_environment()
    url = settings.model_url
    if url is None:
        raise NoModelError(
            "No model is configured. Set KAUSA_MODEL_URL to the address of an Ollama server (and "
            "KAUSA_MODEL_NAME), or leave --model out."
        )

    def model() -> OllamaModel:
        return OllamaModel(url=str(url), name=settings.model_name)

    try:
        asyncio.run(model().check(deadline_seconds=REACHABLE_WITHIN_SECONDS))
    except ModelError as error:
        raise NoModelError(f"The model does not answer: {error}") from error
    return lambda: Consultant(
        model=model(),
        below_confidence=settings.model_below_confidence,
        timeout_seconds=settings.model_timeout_seconds,
    )


def _write(path: Path, results: list[Result]) -> None:
    try:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(as_document(results))) + b"\n")
    except OSError as error:
        raise CaseError(f"{path}: cannot be written: {error.strerror}.") from error
