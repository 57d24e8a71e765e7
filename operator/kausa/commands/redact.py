"""`kausa redact`: what would be hidden in a text before it leaves the cluster."""

from __future__ import annotations

import sys
from pathlib import Path

import click

__all__ = ["redact"]


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--show", is_flag=True, help="Instead of the text: where something is hidden.")
@click.option("--summary", is_flag=True, help="Instead of the text: how much of each kind.")
@click.option("--emails", is_flag=True, help="Hide e-mail addresses, too.")
@click.option("--ip-addresses", is_flag=True, help="Hide IP addresses, too.")
@click.option(
    "--key-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The key of placeholders, to compare them; else every run has other ones.",
)
def redact(
    files: tuple[Path, ...],
    show: bool,
    summary: bool,
    emails: bool,
    ip_addresses: bool,
    key_file: Path | None,
) -> None:
    """Show what would be hidden in FILES before it leaves the cluster; - is standard input.

    The text is printed as it would leave Kausa. No secret is ever printed, with any option: --show
    tells the file, line, column, kind and placeholder of each.

    Exit codes: 0 all was read, 2 a file cannot be read or is no text, or the key cannot be used.
    """
    from kausa.commands.redacting import Request, run
    from kausa.errors import KausaError

    try:
        failed = run(
            Request(
                files=files or (Path("-"),),
                show=show,
                summary=summary,
                emails=emails,
                ip_addresses=ip_addresses,
                key_file=key_file,
            ),
            out=sys.stdout,
            complain=lambda words: click.echo(f"kausa redact: {words}", err=True),
        )
    except KausaError as error:
        click.echo(f"kausa redact: {error}", err=True)
        sys.exit(2)
    sys.exit(2 if failed else 0)
