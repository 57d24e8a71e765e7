"""`kausa recall`: ask the memory a question, and see why each answer stands where it stands."""

from __future__ import annotations

import asyncio
import secrets
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from kausa.recall.ask import Asked
    from kausa.recall.results import Scored

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

    Exit codes: 0 something was found, 1 nothing was, 2 the memory or an argument cannot be used.
    """
    from kausa.errors import KausaError

    if not question.strip():
        raise click.BadParameter("it is empty. Write what you saw, or want to know.")
    try:
        asked = asyncio.run(_ask(question, namespaces, limit=limit, rerank=not no_rerank))
    except KausaError as error:
        click.echo(f"kausa recall: {error}", err=True)
        sys.exit(2)
    if output == "json":
        _print_json(asked)
    else:
        _print_text(asked, verbose=verbose)
    sys.exit(0 if asked.failures or asked.runbooks else 1)


async def _ask(question: str, namespaces: tuple[str, ...], *, limit: int, rerank: bool) -> Asked:
    from kausa.controller.memory_parts import recall_options
    from kausa.evidence.redaction import Redactor
    from kausa.memory.audit import acting_as, this_user
    from kausa.memory.opening import open_memory
    from kausa.recall.recall import Recall
    from kausa.recall.requests import RecallFilters
    from kausa.settings import Settings

    settings = Settings.from_environment()
    allowed = namespaces
    if settings.namespace is not None:
        # A namespaced installation shows its own namespace, whatever is asked for.
        allowed = (settings.namespace,)
    memory = open_memory(settings)
    # A person waits for a second reading; a diagnosis would not.
    options = replace(recall_options(settings), rerank_seconds=SEARCH_SECONDS)
    asker = Recall(memory=memory, options=options)
    try:
        with acting_as(f"kausa recall ({this_user()})"):
            await memory.start(deadline_seconds=START_SECONDS)
            return await asker.ask(
                # No embedder and no terminal needs a secret that came with a pasted line.
                Redactor(key=secrets.token_bytes(32)).text(question).value,
                filters=RecallFilters(
                    cluster=settings.cluster_name,
                    namespaces=allowed,
                    everywhere=settings.runbooks_of_everybody,
                ),
                limit=limit,
                rerank=rerank,
                deadline_seconds=SEARCH_SECONDS,
            )
    finally:
        await asker.close()
        await memory.close()


def _print_text(asked: Asked, *, verbose: bool) -> None:
    for title, results in (("Failures", asked.failures), ("Runbooks", asked.runbooks)):
        click.echo(f"{title}: {len(results) or 'none'}")
        for number, each in enumerate(results, 1):
            _print_result(number, each, verbose=verbose)
    for note in asked.notes:
        click.echo(f"Note: {note}")


def _print_result(number: int, found: Scored, *, verbose: bool) -> None:
    from kausa.memory.records import FailureRecord, RunbookChunk
    from kausa.recall.explain import explain

    click.echo(f"\n{number}. {found.title}")
    when = "" if isinstance(found.record, RunbookChunk) else f", {found.seen}"
    click.echo(f"   {found.source}{when}")
    if isinstance(found.record, FailureRecord):
        mended = f": {found.record.resolution}" if found.record.resolution else ""
        click.echo(f"   {found.record.outcome}{mended}")
    lines = [line for line in found.record.text.splitlines() if line.strip()]
    for line in lines if verbose else lines[:PASSAGE_LINES]:
        click.echo(f"   | {line}")
    click.echo(f"   {explain(found.score)}")


def _print_json(asked: Asked) -> None:
    import msgspec

    document = {
        "question": asked.analysis.question,
        "subQuestions": [part.question.text for part in asked.parts],
        "failures": [each.to_builtins() for each in asked.failures],
        "runbooks": [each.to_builtins() for each in asked.runbooks],
        "notes": list(asked.notes),
    }
    click.echo(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())
