"""`kausa memory`: look after the memory: its state, its model, its backups, its size."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from kausa.commands.memory_upkeep import Upkeep

__all__ = ["memory"]

UNAVAILABLE = 1
_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group()
def memory() -> None:
    """Look after the memory that the settings (KAUSA_MEMORY_...) name.

    The embedded memory belongs to one process: stop the operator first, or use a server.

    Exit codes: 0 done, 1 the memory, the embedder or the cluster is away or refuses, 2 a setting, a
    folder or a backup cannot be used.
    """


@memory.command()
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text")
def status(output: str) -> None:
    """What the memory is, which model made it, and how much it holds."""
    with _told("status"):
        _upkeep().status(as_json=output == "json")


@memory.command()
def migrate() -> None:
    """Embed everything again with the model that is configured now.

    The memory in use stays in use until everything is done, then both collections are switched at
    once. Ask again after an interruption: what was embedded is not embedded again.
    """
    with _told("migrate"):
        _upkeep().migrate()


@memory.command()
@click.argument("folder", type=_FOLDER)
@click.option(
    "--check/--no-check",
    default=True,
    show_default=True,
    help="Put it back into a scratch memory beside, and compare; takes as much room once more.",
)
def backup(folder: Path, check: bool) -> None:
    """Write the memory into FOLDER, which is not there yet."""
    with _told("backup"):
        _upkeep().back_up(folder, check=check)


@memory.command()
@click.argument("folder", type=_FOLDER)
@click.option("--yes", is_flag=True, help="Do not ask whether what is there may be replaced.")
def restore(folder: Path, yes: bool) -> None:
    """Put the backup in FOLDER in place of what the memory holds.

    A folder that is no backup, or damaged, changes nothing.
    """
    if not yes:
        click.confirm("What the memory holds now is replaced. Go on?", abort=True)
    with _told("restore"):
        _upkeep().restore(folder)


@memory.command()
@click.option("--dry-run", is_flag=True, help="Count what would go, and delete nothing.")
@click.option("--all-clusters", is_flag=True, help="Not only the records of KAUSA_CLUSTER_NAME.")
@click.option(
    "--most",
    type=click.IntRange(min=1),
    default=1_000_000,
    show_default=True,
    help="Delete at most so many passages.",
)
def prune(dry_run: bool, all_clusters: bool, most: int) -> None:
    """Forget what is older than KAUSA_MEMORY_KEEP_DAYS and KAUSA_MEMORY_KEEP_OPEN_DAYS say."""
    with _told("prune"):
        _upkeep().prune(dry_run=dry_run, all_clusters=all_clusters, most=most)


@memory.command()
@click.option("--rebuild", is_flag=True, help="Embed and write everything anew.")
@click.option("--kubeconfig", type=click.Path(path_type=Path), help="Instead of $KUBECONFIG.")
@click.option("--context", help="A context of the kubeconfig, instead of its current one.")
def sync(rebuild: bool, kubeconfig: Path | None, context: str | None) -> None:
    """Bring the memory in line with the FailureDiagnosis resources of the cluster.

    The operator does so by itself, at its start and after the memory was away.
    """
    with _told("sync"):
        _upkeep().sync(rebuild=rebuild, kubeconfig=kubeconfig, context=context)


def _upkeep() -> Upkeep:
    """As the environment says. Raises `SettingsError`."""
    from kausa.commands.memory_upkeep import Upkeep

    return Upkeep.from_environment(say=click.echo, warn=partial(click.echo, err=True))


@contextmanager
def _told(command: str) -> Iterator[None]:
    """Errors of ours are words on standard error and an exit code."""
    from kausa.cluster.errors import ClusterError
    from kausa.errors import KausaError
    from kausa.memory.errors import MemoryUnavailableError

    try:
        yield
    except KausaError as error:
        reason = f"{error.reason}: " if isinstance(error, MemoryUnavailableError) else ""
        click.echo(f"kausa memory {command}: {reason}{error}", err=True)
        sys.exit(UNAVAILABLE if isinstance(error, (MemoryUnavailableError, ClusterError)) else 2)
