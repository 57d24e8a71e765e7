"""`kausa eval`: how many cases are diagnosed rightly, and what was said of the others."""

from __future__ import annotations

import sys
from pathlib import Path

import click

__all__ = ["evaluate"]


@click.command("eval")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--model", "with_model", is_flag=True, help="Ask the configured model as well.")
@click.option("--min", "minimum", type=click.FloatRange(0, 100), help="Exit with 1 below it.")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write it there."
)
@click.option("--only", help="Only cases with this in their id.")
@click.option("-v", "--verbose", is_flag=True, help="Show the cases that pass, too.")
def evaluate(
    folders: tuple[Path, ...],
    with_model: bool,
    minimum: float | None,
    json_file: Path | None,
    only: str | None,
    verbose: bool,
) -> None:
    """Run cases with known causes, and say how many are diagnosed rightly.

    Every folder in or below FOLDERS that has a case.yaml is a case. Rates are told beside those of
    an echo, which repeats the reasons and messages of its input and understands nothing.

    Exit codes: 0 all were run, 1 fewer than --min percent are right, 2 there is no case, one of
    them is broken, the JSON cannot be written, or --model is asked for and there is none.
    """
    from kausa.commands.evaluating import Request, run
    from kausa.errors import KausaError

    try:
        rate = run(
            Request(
                folders=folders,
                with_model=with_model,
                json_file=json_file,
                only=only,
                verbose=verbose,
            )
        )
    except KausaError as error:
        click.echo(f"kausa eval: {error}", err=True)
        sys.exit(2)
    sys.exit(1 if minimum is not None and rate < minimum else 0)
