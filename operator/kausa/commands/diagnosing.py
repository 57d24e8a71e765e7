"""What `kausa diagnose` does, apart from its options: asking for help imports none of this."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from kausa.cluster.snapshot import Snapshot
from kausa.commands.given_settings import given_settings
from kausa.commands.snapshot_files import snapshot_of
from kausa.evidence.redaction import Redactor
from kausa.evidence.redaction_key import load_or_make_key
from kausa.offline.diagnosing import Answer, OfflineDiagnosis, moment_of
from kausa.offline.targets import check_namespace, find_target, parse_target
from kausa.offline.unwatched import suspended
from kausa.telemetry.logs import configure_logs

__all__ = ["Request", "run"]

WIDTH_OF_A_FILE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a person asked for."""

    source: Path
    target: str | None = None
    namespace: str | None = None
    question: str | None = None
    now: datetime | None = None
    output: str = "text"
    verbose: bool = False


def run(request: Request) -> bool:
    """Diagnose and print; True where something fails of which the cause is not determined.

    Raises:
        KausaError: the files, the target or a setting cannot be used.
    """
    configure_logs(level="critical")
    settings = given_settings("kausa diagnose")
    snapshot = snapshot_of(request.source)
    redactor = Redactor(
        key=load_or_make_key(settings.redaction_key_path),
        emails=settings.redact_emails,
        addresses=settings.redact_addresses,
    )
    now = moment_of(snapshot, given=request.now)
    pipeline = OfflineDiagnosis(snapshot, redactor=redactor, now=now)
    if request.target is None:
        namespace = request.namespace or ""
        if namespace:
            check_namespace(snapshot, namespace)
        answers = asyncio.run(pipeline.of_all(question=request.question, namespace=namespace))
    else:
        target = find_target(snapshot, parse_target(request.target, namespace=request.namespace))
        answers = asyncio.run(pipeline.of_target(target, question=request.question))
    _say_what_was_left_out(snapshot, pipeline)
    if request.output == "text":
        notes = suspended(snapshot, namespace=request.namespace or "")
        _print_text(request, answers, now=now, notes=notes)
    else:
        _print_documents(request, answers, redactor=redactor)
    return any(each.fails and not each.diagnosis.determined for each in answers)


def _print_text(
    request: Request, answers: tuple[Answer, ...], *, now: datetime, notes: tuple[str, ...]
) -> None:
    from kausa.offline.order import in_order
    from kausa.offline.text import MOST_DETAILS, as_text, overview

    on_terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if on_terminal else WIDTH_OF_A_FILE
    lines: list[str] = []
    ordered = answers
    if request.target is None:
        told = in_order(answers)
        lines += overview(
            told,
            now=now,
            width=width,
            clip=on_terminal,
            namespace=request.namespace or "",
            notes=notes,
        )
        ordered = tuple(each.answer for each in told)
    for answer in ordered[:MOST_DETAILS]:
        lines += (
            ["", *as_text(answer, width=width, verbose=request.verbose)]
            if lines
            else as_text(answer, width=width, verbose=request.verbose)
        )
    if len(ordered) > MOST_DETAILS:
        more = len(ordered) - MOST_DETAILS
        lines += ["", f"({more} more in detail with --target, or with -o json)"]
    click.echo("\n".join(lines))


def _print_documents(request: Request, answers: tuple[Answer, ...], *, redactor: Redactor) -> None:
    from kausa.offline.documents import as_yaml, documents

    question = redactor.text(request.question).value if request.question else None
    found = documents(answers, question=question)
    whole: dict[str, Any] = (
        found[0]
        if request.target is not None and len(found) == 1
        else {"apiVersion": "v1", "kind": "List", "items": found}
    )
    if request.output == "json":
        click.echo(json.dumps(whole, indent=2, ensure_ascii=False))
        return
    click.echo(as_yaml(whole), nl=False)


def _say_what_was_left_out(snapshot: Snapshot, pipeline: OfflineDiagnosis) -> None:
    for note in (*snapshot.notes, *pipeline.notes):
        click.echo(f"kausa diagnose: {note}", err=True)
