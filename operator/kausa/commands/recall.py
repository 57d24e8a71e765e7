"""`kausa recall`: ask the memory a question, and see why each answer stands where it stands."""

from __future__ import annotations

import asyncio
import secrets
import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from kausa.memory.service import FailureMemory
    from kausa.recall.ask import Asked
    from kausa.recall.results import Scored
    from kausa.settings import Settings

__all__ = ["recall"]

START_SECONDS = 60.0
SEARCH_SECONDS = 30.0
PASSAGE_LINES = 6


@click.command()
@click.argument("question")
@click.option(
    "-n", "--namespace", "namespaces", multiple=True, help="Only of these; may be repeated."
)
@click.option("--limit", type=click.IntRange(1, 50), default=5, show_default=True)
@click.option("--no-rerank", is_flag=True, help="Do not read the best a second time.")
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.option("-v", "--verbose", is_flag=True, help="Show whole passages.")
def recall(
    question: str,
    namespaces: tuple[str, ...],
    limit: int,
    no_rerank: bool,
    output: str,
    verbose: bool,
) -> None:
    """Find failures and runbooks that answer QUESTION, in the memory that is configured.

    What QUESTION names (a namespace, a Pod, a time) narrows the search; `kausa query-analysis`
    shows how it is understood. The embedded memory belongs to one process: while an operator runs
    on it, ask where it is a server.

    What fits less than KAUSA_RANKING_FLOOR is not shown, unless QUESTION names whom it is of.

    Exit codes: 0 something was found, 1 nothing was, 2 the memory or an argument cannot be used.
    """
    from kausa.errors import KausaError
    from kausa.offline.plain_errors import in_words

    if not question.strip():
        raise click.BadParameter("it is empty. Write what you saw, or want to know.")
    try:
        asked = asyncio.run(_ask(question, namespaces, limit=limit, rerank=not no_rerank))
    except KausaError as error:
        click.echo(f"kausa recall: {in_words(str(error))}", err=True)
        sys.exit(2)
    if output == "json":
        _print_json(asked)
    else:
        _print_text(asked, verbose=verbose)
    sys.exit(0 if asked.failures or asked.runbooks else 1)


async def _ask(question: str, namespaces: tuple[str, ...], *, limit: int, rerank: bool) -> Asked:
    from kausa.commands.empty_memory import holds_nothing
    from kausa.commands.given_settings import given_settings
    from kausa.commands.waiting import WaitingTeller
    from kausa.controller.memory_parts import recall_options
    from kausa.evidence.redaction import Redactor
    from kausa.memory.audit import acting_as, this_user
    from kausa.memory.opening import open_memory
    from kausa.recall.recall import Recall
    from kausa.recall.requests import RecallFilters

    settings = given_settings("kausa recall")
    # No embedder and no terminal needs a secret that came with a pasted line.
    redactor = Redactor(
        key=secrets.token_bytes(32),
        emails=settings.redact_emails,
        addresses=settings.redact_addresses,
    )
    question = redactor.text(question).value
    allowed = namespaces
    if settings.namespace is not None:
        # A namespaced installation shows its own namespace, whatever is asked for.
        allowed = (settings.namespace,)
    teller = WaitingTeller(command="kausa recall", say=partial(click.echo, err=True))
    memory = open_memory(settings, on_waiting=teller)
    # A person waits for a second reading; a diagnosis would not.
    options = replace(recall_options(settings), rerank_seconds=SEARCH_SECONDS)
    asker = Recall(memory=memory, options=options)
    try:
        with acting_as(f"kausa recall ({this_user()})"):
            if await holds_nothing(memory, settings, deadline_seconds=START_SECONDS):
                return _nothing(question, settings=settings)
            await memory.start(deadline_seconds=START_SECONDS)
            asked = await asker.ask(
                question,
                filters=RecallFilters(
                    cluster=settings.cluster_name,
                    namespaces=allowed,
                    everywhere=settings.runbooks_of_everybody,
                ),
                limit=limit,
                rerank=rerank,
                deadline_seconds=SEARCH_SECONDS,
            )
            if asked.failures or asked.runbooks:
                return asked
            why = await _why_nothing(memory, asked, settings=settings)
            return replace(asked, notes=(why, *asked.notes))
    finally:
        await asker.close()
        await memory.close()


async def _why_nothing(memory: FailureMemory, asked: Asked, *, settings: Settings) -> str:
    """What to tell a person who was answered nothing."""
    from kausa.memory.filters import Filter, OneOf
    from kausa.memory.store import COLLECTIONS

    if asked.weak:
        return (
            f"Nothing fits: what was found ({asked.weak}) is less relevant than "
            f"{settings.ranking_floor:g} (KAUSA_RANKING_FLOOR), and not shown."
        )
    where = Filter(must=(OneOf("cluster", (settings.cluster_name,)),))
    counts = [
        await memory.count(each, where=where, deadline_seconds=SEARCH_SECONDS)
        for each in COLLECTIONS
    ]
    if any(counts):
        return "Nothing fits: no record is of what the question names."
    return _empty(settings)


def _nothing(question: str, *, settings: Settings) -> Asked:
    """The answer of a memory that holds nothing of anybody."""
    from kausa.recall.ask import Asked
    from kausa.recall.query import analyse
    from kausa.telemetry.clock import utc_now

    analysis = analyse(question, now=utc_now())
    notes = (_empty(settings), *analysis.notes)
    return Asked(analysis=analysis, parts=(), failures=(), runbooks=(), notes=notes)


def _empty(settings: Settings) -> str:
    return (
        f"The memory holds nothing of the cluster {settings.cluster_name!r} (KAUSA_CLUSTER_NAME): "
        "it is empty. An operator that runs on it (`kausa run`) fills it with failures and "
        "runbooks, `kausa memory sync` with the failures that the cluster knows, `kausa ingest "
        "FOLDER` with your own runbooks, logs and manifests."
    )


def _print_text(asked: Asked, *, verbose: bool) -> None:
    for title, results in (("Failures", asked.failures), ("Runbooks", asked.runbooks)):
        click.echo(f"{title}: {len(results) or 'none'}")
        for number, each in enumerate(results, 1):
            _print_result(number, each, verbose=verbose)
    for note in asked.notes:
        click.echo(f"Note: {note}")


def _print_result(number: int, found: Scored, *, verbose: bool) -> None:
    from kausa.evidence.redaction.placeholders import without_torn
    from kausa.memory.records import FailureRecord, RunbookChunk
    from kausa.recall.explain import explain

    click.echo(f"\n{number}. {without_torn(found.title)}")
    when = "" if isinstance(found.record, RunbookChunk) else f", {found.seen}"
    click.echo(f"   {found.source}{when}")
    if isinstance(found.record, FailureRecord):
        mended = f": {found.record.resolution}" if found.record.resolution else ""
        click.echo(without_torn(f"   {found.record.outcome}{mended}"))
    text = without_torn(found.record.text)
    lines = [line for line in text.splitlines() if line.strip()]
    for line in lines if verbose else lines[:PASSAGE_LINES]:
        click.echo(f"   | {line}")
    click.echo(f"   {explain(found.score)}")


def _print_json(asked: Asked) -> None:
    import msgspec

    from kausa.commands.recalled_text import without_torn_ends

    document = {
        "question": asked.analysis.question,
        "subQuestions": [part.text for part in asked.analysis.sub_questions],
        "failures": [each.to_builtins() for each in asked.failures],
        "runbooks": [each.to_builtins() for each in asked.runbooks],
        "weak": asked.weak,
        "notes": list(asked.notes),
    }
    # What is remembered was cut to fit, perhaps through a placeholder.
    whole = without_torn_ends(msgspec.to_builtins(document))
    click.echo(msgspec.json.format(msgspec.json.encode(whole), indent=2).decode())
