"""`kausa diagnose`: what fails in a folder of files, and why, without a cluster."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

__all__ = ["diagnose"]

UNDETERMINED = 3


@click.command()
@click.option(
    "--from",
    "source",
    required=True,
    multiple=True,
    callback=lambda _context, _parameter, given: _one(given),
    type=click.Path(path_type=Path, readable=False),
    help="A folder or file that kubectl wrote; - is standard input.",
)
@click.option("--target", help="kind/namespace/name, as kubectl spells kinds.")
@click.option("-n", "--namespace", help="Only this namespace, or that of --target kind/name.")
@click.option("--question", help="What you saw, or want to know.")
@click.option("--now", help="When it was recorded: 2026-01-31T12:00:00Z. Else its last time.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json", "yaml"]),
    default="text",
    help="json, yaml: as the operator would publish it.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show all evidence, not only what is cited.")
def diagnose(
    source: Path,
    target: str | None,
    namespace: str | None,
    question: str | None,
    now: str | None,
    output: str,
    verbose: bool,
) -> None:
    """Say what fails in files that kubectl wrote, and why, without a cluster.

    FILES: a folder with objects.json and logs/, a folder of `kubectl cluster-info dump
    --output-directory=FOLDER`, or any file or folder of `kubectl get ... -o json` or `-o yaml`.
    Without --target everything that fails is told.

    Exit codes: 0 nothing fails, or the cause is found; 2 the files, the target or another argument
    cannot be used; 3 something fails of which the cause is not determined; 1 anything else.
    """
    from kausa.commands.diagnosing import Request, run
    from kausa.errors import KausaError
    from kausa.offline.plain_errors import in_words

    try:
        undetermined = run(
            Request(
                source=source,
                target=target,
                namespace=namespace,
                question=question,
                now=_moment(now),
                output=output,
                verbose=verbose,
            )
        )
    except KausaError as error:
        click.echo(f"kausa diagnose: {in_words(str(error))}", err=True)
        sys.exit(2)
    sys.exit(UNDETERMINED if undetermined else 0)


def _one(given: tuple[Path, ...]) -> Path:
    if len(given) > 1:
        raise click.BadParameter(
            f"it was given {len(given)} times. Put the files into one folder and name that."
        )
    return given[0]


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is no time. Write it as 2026-01-31T12:00:00Z.", param_hint="--now"
        ) from None
    if moment.tzinfo is None:
        raise click.BadParameter(f"{text!r} has no time zone. Add Z for UTC.", param_hint="--now")
    return moment
