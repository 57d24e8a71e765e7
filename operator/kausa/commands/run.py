"""`kausa run`: the operator, in the cluster or from a laptop."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from pathlib import Path

import click

from kausa.cluster.credentials import Credentials, in_cluster_credentials
from kausa.cluster.errors import KubeconfigError, LeadershipLostError, LeaseForbiddenError
from kausa.cluster.kubeconfig import find_kubeconfig, load_kubeconfig
from kausa.controller.errors import AccessRefusedError, MissingResourceDefinitionsError
from kausa.controller.operator import run_operator
from kausa.diagnosis.model.opening import open_models
from kausa.errors import KausaError, SettingsError
from kausa.settings import Settings
from kausa.settings.unknown import find_unknown
from kausa.telemetry.logs import configure_logs, get_logger

__all__ = ["credentials_of", "run"]

LEADERSHIP_LOST = 5
EXIT_CODES: tuple[tuple[type[KausaError], int], ...] = (
    (SettingsError, 2),
    (KubeconfigError, 2),
    (MissingResourceDefinitionsError, 3),
    (AccessRefusedError, 4),
    (LeaseForbiddenError, 4),
    (LeadershipLostError, LEADERSHIP_LOST),
)
_logger = get_logger(__name__)


@click.command()
@click.option("--kubeconfig", type=click.Path(path_type=Path), help="Instead of $KUBECONFIG.")
@click.option("--context", help="A context of the kubeconfig, instead of its current one.")
@click.option("-n", "--namespace", help="Watch this namespace only.")
@click.option("--no-memory", is_flag=True, help="Diagnose by rules alone, remember nothing.")
@click.option(
    "--log-format",
    type=click.Choice(["auto", "json", "text"]),
    help="auto: text on a terminal, else json.",
)
def run(
    kubeconfig: Path | None,
    context: str | None,
    namespace: str | None,
    no_memory: bool,
    log_format: str | None,
) -> None:
    """Run the operator until Ctrl-C or SIGTERM.

    Every other setting is an environment variable, KAUSA_<NAME>; see docs/configure.md.

    Exit codes: 0 stopped as asked, 2 a setting or kubeconfig that cannot be used, 3 the cluster
    does not know FailureDiagnosis, 4 the API server refuses the credentials, 5 another operator
    took the Lease over, 1 anything else.
    """
    try:
        settings = Settings.from_environment(
            namespace=namespace,
            memory_enabled=False if no_memory else None,
            log_format=log_format,
        )
        configure_logs(style=settings.log_format, level=settings.log_level)
        unknown = find_unknown(os.environ)
        if unknown is not None:
            _logger.warning("Ignored variables of the environment", why=str(unknown))
        # Said now, and not when the first of several operators ends and this one leads.
        open_models(settings, redact=str)
        credentials = credentials_of(kubeconfig, context=context)
        asyncio.run(_run(settings, credentials))
    except KausaError as error:
        click.echo(f"kausa: {error}", err=True)
        sys.exit(next((code for kind, code in EXIT_CODES if isinstance(error, kind)), 1))


async def _run(settings: Settings, credentials: Credentials) -> None:
    # In a storm objects are made by the ten thousand, and hardly ever in cycles: the default looks
    # for those after every 700.
    gc.set_threshold(50_000, 20, 50)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        await run_operator(
            settings=settings, credentials=credentials, stop=stop, abandon=_leave_at_once
        )
    except* KausaError as group:
        raise _first(group) from group


def _leave_at_once(error: LeadershipLostError) -> None:
    """Another operator leads: no more than these words, and above all no orderly end."""
    click.echo(f"kausa: {error}", err=True)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(LEADERSHIP_LOST)


def _first(group: BaseExceptionGroup[KausaError]) -> KausaError:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


def credentials_of(kubeconfig: Path | None, *, context: str | None) -> Credentials:
    """A named kubeconfig first, then the Pod's ServiceAccount, then the usual kubeconfig."""
    if kubeconfig is None and context is None:
        inside = in_cluster_credentials()
        if inside is not None:
            return inside
    path = find_kubeconfig(named=kubeconfig)
    if path is None:
        raise KubeconfigError(
            "There is no cluster to watch: no ServiceAccount of a Pod, no KUBECONFIG and no "
            "~/.kube/config. Name a file with --kubeconfig."
        )
    return load_kubeconfig(path, context=context)
