"""`kausa ingest`: your runbooks, logs, manifests and dumps of Events into the memory."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

__all__ = ["ingest"]

INCOMPLETE = 3


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--cluster", help="Whose memory it is; else KAUSA_CLUSTER_NAME.")
@click.option(
    "-n",
    "--namespace",
    help="Whose everything is that does not say so itself. Runbooks without one apply everywhere.",
)
@click.option("--name", help="What the sources of a single folder are called; else its own name.")
def ingest(
    folders: tuple[Path, ...], cluster: str | None, namespace: str | None, name: str | None
) -> None:
    """Take FOLDERS into the memory, to be searched and shown.

    Markdown is taken as runbooks (what stands between two lines of --- before the text says what
    it is about), *.log and *.log.gz as logs, JSON and YAML of kubectl as manifests and Events; what
    fails in them is diagnosed and remembered. Secrets are taken out first. Taking in the same
    folder again changes nothing.

    The embedded memory belongs to one process: stop the operator first, or use a server.

    Exit codes: 0 all was taken, 3 some files could not be read, 2 a folder or setting cannot be
    used, or the memory is away.
    """
    from kausa.errors import KausaError

    if name is not None and len(folders) > 1:
        raise click.BadParameter("it names one folder, not several.", param_hint="--name")
    try:
        complete = asyncio.run(_run(folders, cluster=cluster, namespace=namespace, name=name))
    except KausaError as error:
        click.echo(f"kausa ingest: {error}", err=True)
        sys.exit(2)
    sys.exit(0 if complete else INCOMPLETE)


async def _run(
    folders: tuple[Path, ...], *, cluster: str | None, namespace: str | None, name: str | None
) -> bool:
    from kausa.commands.ingest_files import check_folder
    from kausa.commands.ingesting import DEADLINE_SECONDS, Ingestion, Options
    from kausa.evidence.redaction import Redactor
    from kausa.evidence.redaction_key import load_or_make_key
    from kausa.memory.opening import chunk_size, open_memory
    from kausa.settings import Settings
    from kausa.telemetry.logs import configure_logs

    configure_logs(level="error")
    settings = Settings.from_environment(cluster_name=cluster)
    for folder in folders:
        check_folder(folder)
    redactor = Redactor(
        key=load_or_make_key(settings.redaction_key_path),
        emails=settings.redact_emails,
        addresses=settings.redact_addresses,
    )
    memory = open_memory(settings)
    ingestion = Ingestion(
        memory=memory,
        redactor=redactor,
        options=Options(
            cluster=settings.cluster_name, namespace=namespace, size=chunk_size(settings)
        ),
    )
    try:
        await memory.start(deadline_seconds=DEADLINE_SECONDS)
        for folder in folders:
            await ingestion.take(folder, name=name)
        await memory.flush(deadline_seconds=DEADLINE_SECONDS)
    finally:
        await memory.close()
        for line in ingestion.report.lines():
            click.echo(line)
    return ingestion.report.complete
