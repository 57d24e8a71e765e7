"""What `kausa eval` does, apart from its options: asking for help imports none of this."""

from __future__ import annotations

import asyncio
import math
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from kausa.diagnosis.decide import decide
from kausa.evaluation.cases import Case, CaseError, find_cases, read_case
from kausa.evaluation.report import as_document, case_lines, pass_rate, tables
from kausa.evaluation.running import Result, run_case
from kausa.evaluation.withheld import undecided
from kausa.evidence.redaction import Redactor
from kausa.telemetry.logs import configure_logs

if TYPE_CHECKING:
    from kausa.evaluation.consulting import Consulted

__all__ = ["Outcome", "Request", "run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a person asked for."""

    folders: tuple[Path, ...]
    with_model: bool = False
    without_rules: bool = False
    at_once: int = 1
    seconds: float = math.inf
    """After which no question to a model begins."""
    json_file: Path | None = None
    only: str | None = None
    every: int = 1
    """Each so-many-th of them, in order; 1 is all."""
    verbose: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it."""

    percent: float
    """Of the cases that pass, with the model where it is asked."""
    worse_with_model: bool = False
    """Whether fewer pass than without it."""


def run(request: Request) -> Outcome:
    """Run all cases and print what came of them.

    Raises:
        KausaError: there is no case, one is broken, or the model that is asked for does not answer.
    """
    configure_logs(level="critical")
    if request.json_file is not None and not request.json_file.absolute().parent.is_dir():
        # A model takes an hour, after which it would be too late.
        raise CaseError(f"{request.json_file}: cannot be written: there is no such folder.")
    cases = _cases(request)
    if request.with_model:
        from kausa.commands.evaluating_model import check_model

        check_model()
    redactor = Redactor(key=secrets.token_bytes(32))
    decides = undecided if request.without_rules else decide
    results: list[Result] = []
    for case in cases:
        result = run_case(case, redactor=redactor, decides=decides)
        results.append(result)
        if not request.with_model:
            _tell(result, verbose=request.verbose)
    if not request.with_model:
        return _concluded(request, results)
    from kausa.commands.evaluating_model import ask_about
    from kausa.evaluation.model_report import model_document, model_tables

    every, model = asyncio.run(
        ask_about(results, redactor=redactor, at_once=request.at_once, seconds=request.seconds)
    )
    for each in every:
        _tell(each.after, verbose=request.verbose)
    document = model_document(every, model=model)
    outcome = _concluded(request, [each.after for each in every], more={"model": document})
    for line in model_tables(every, model=model):
        click.echo(line)
    return Outcome(percent=outcome.percent, worse_with_model=_is_worse(every))


def _tell(result: Result, *, verbose: bool) -> None:
    for line in case_lines(result) if verbose or not result.passes else ():
        click.echo(line)


def _concluded(
    request: Request, results: list[Result], *, more: dict[str, Any] | None = None
) -> Outcome:
    for line in tables(results):
        click.echo(line)
    if request.json_file is not None:
        _write(request.json_file, as_document(results) | (more or {}))
    return Outcome(percent=pass_rate(results))


def _is_worse(every: tuple[Consulted, ...]) -> bool:
    return sum(each.after.passes for each in every) < sum(each.before.passes for each in every)


def _cases(request: Request) -> list[Case]:
    every = [read_case(folder) for folder in find_cases(request.folders)]
    cases = [each for each in every if request.only is None or request.only in each.id]
    if not cases:
        raise CaseError(f"None of {len(every)} cases has {request.only!r} in its id.")
    return cases[:: request.every]


def _write(path: Path, document: dict[str, Any]) -> None:
    try:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(document)) + b"\n")
    except OSError as error:
        raise CaseError(f"{path}: cannot be written: {error.strerror}.") from error
