"""`kausa ingest`: your runbooks, logs, manifests and dumps of Events into the memory."""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from pathlib import Path

import click

__all__ = ["ingest"]

INCOMPLETE = 3


@click.command()
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path))
@click.option("--cluster", help="Whose memory it is; else KAUSA_CLUSTER_NAME.")
@click.option(
    "-n",
    "--namespace",
    help="Whose everything is that does not say so itself. Runbooks without one apply everywhere.",
)
@click.option("--name", help="What the sources of a single folder are called; else its own name.")
@click.option(
    "--remove",
    "removed",
    multiple=True,
    metavar="NAME",
    help="Remove all documents of the folder that was taken in by this name. May be repeated.",
)
def ingest(
    folders: tuple[Path, ...],
    cluster: str | None,
    namespace: str | None,
    name: str | None,
    removed: tuple[str, ...],
) -> None:
    """Take FOLDERS into the memory, to be searched and shown.

    Markdown is taken as runbooks (what stands between two lines of --- before the text says what
    it is about), *.log and *.log.gz as logs, JSON and YAML of kubectl as manifests and Events; what
    fails in them is diagnosed and remembered. Secrets are taken out first. Taking in the same
    folder again changes nothing; documents that are no more in it are removed.

    The embedded memory belongs to one process: stop the operator first, or use a server.

    Exit codes: 0 all was taken, 3 some files could not be read, 2 a folder or setting cannot be
    used, or the memory is away.
    """
    from kausa.errors import KausaError

    if not folders and not removed:
        raise click.UsageError("Name folders to take in, or a name to --remove.")
    if name is not None and len(folders) > 1:
        raise click.BadParameter("it names one folder, not several.", param_hint="--name")
    try:
        complete = asyncio.run(
            _run(folders, removed, cluster=cluster, namespace=namespace, name=name)
        )
    except KausaError as error:
        click.echo(f"kausa ingest: {error}", err=True)
        sys.exit(2)
    sys.exit(0 if complete else INCOMPLETE)


async def _run(
    folders: tuple[Path, ...],
    removed: tuple[str, ...],
    *,
    cluster: str | None,
    namespace: str | None,
    name: str | None,
) -> bool:
    from kausa.commands.given_settings import given_settings
    from kausa.commands.ingest_files import check_folder
    from kausa.commands.ingest_report import Report
    from kausa.commands.ingesting import DEADLINE_SECONDS, Ingestion, Options
    from kausa.commands.waiting import WaitingTeller
    from kausa.evidence.redaction import Redactor
    from kausa.evidence.redaction_key import load_or_make_key
    from kausa.memory.audit import acting_as, this_user
    from kausa.memory.opening import open_memory
    from kausa.telemetry.logs import configure_logs

    configure_logs(level="error")
    settings = given_settings("kausa ingest", cluster_name=cluster)
    for folder in folders:
        check_folder(folder)
    redactor = Redactor(
        key=load_or_make_key(settings.redaction_key_path),
        emails=settings.redact_emails,
        addresses=settings.redact_addresses,
    )
    teller = WaitingTeller(command="kausa ingest", say=partial(click.echo, err=True))
    memory = open_memory(settings, on_waiting=teller)
    report = Report()
    try:
        with acting_as(f"kausa ingest ({this_user()})"):
            await memory.start(deadline_seconds=DEADLINE_SECONDS)
            ingestion = Ingestion(
                memory=memory,
                redactor=redactor,
                options=Options(
                    cluster=settings.cluster_name,
                    namespace=namespace,
                    size=await memory.passage_size(deadline_seconds=DEADLINE_SECONDS),
                ),
                report=report,
            )
            for each in removed:
                await ingestion.remove(each)
            for folder in folders:
                await ingestion.take(folder, name=name)
            await ingestion.sweep()
            await memory.flush(deadline_seconds=DEADLINE_SECONDS)
    finally:
        await memory.close()
        for line in report.lines():
            click.echo(line)
    return report.complete
