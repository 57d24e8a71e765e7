"""`kausa query-analysis`: what a question gives away, and by which of its words."""

from __future__ import annotations

import click

__all__ = ["query_analysis"]


@click.command("query-analysis")
@click.argument("question")
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def query_analysis(question: str, output: str) -> None:
    """Show what `kausa recall` understands of QUESTION: names, times, failures, sub-questions.

    Nothing is searched, and neither a cluster nor a memory is needed. Secrets in QUESTION are
    hidden before it is read or shown.

    Exit codes: 0 it is shown, 2 a setting or an argument cannot be used.
    """
    import secrets
    import sys

    import msgspec

    from kausa.commands.given_settings import given_settings
    from kausa.errors import KausaError
    from kausa.evidence.redaction import Redactor
    from kausa.recall.query import analyse
    from kausa.telemetry.clock import utc_now

    if not question.strip():
        raise click.BadParameter("it is empty. Write what you saw, or want to know.")
    # The terminal and its log are no place for a secret that came with a pasted line.
    try:
        settings = given_settings("kausa query-analysis")
    except KausaError as error:
        click.echo(f"kausa query-analysis: {error}", err=True)
        sys.exit(2)
    redactor = Redactor(
        key=secrets.token_bytes(32),
        emails=settings.redact_emails,
        addresses=settings.redact_addresses,
    )
    question = redactor.text(question).value
    analysis = analyse(question, now=utc_now())
    if output == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(analysis), indent=2).decode())
        return
    if not analysis.clues:
        click.echo("It names nothing; the whole text is searched.")
    width = max((len(clue.kind) for clue in analysis.clues), default=0)
    for clue in analysis.clues:
        if clue.left_out:
            continue
        words = question[clue.start : clue.end]
        click.echo(f"{clue.kind:{width}}  {clue.value}   <- {words!r} ({clue.why})")
    if analysis.pods and analysis.owners:
        click.echo(f"{'owner':{width}}  {' or '.join(analysis.owners)}   <- by the Pod's name")
    for note in analysis.notes:
        click.echo(f"Note: {note}")
    for number, part in enumerate(analysis.sub_questions, 1):
        click.echo(f"\nquestion {number}: {part.text}")
        click.echo(f"  searched by likeness: {part.search}")
        click.echo(f"  searched by words:    {part.words}")
        about = ", ".join((*part.reasons, *part.categories))
        if about:
            click.echo(f"  about:                {about}")
