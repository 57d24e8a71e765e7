"""`kausa eval`: how many cases are diagnosed rightly, and what was said of the others."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import click

__all__ = ["evaluate"]


@click.command("eval")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--model", "with_model", is_flag=True, help="Ask the configured model as well.")
@click.option(
    "--without-rules", is_flag=True, help="As if no rule knew any cause: what a model alone finds."
)
@click.option(
    "--at-once",
    type=click.IntRange(1, 32),
    default=1,
    show_default=True,
    help="Questions to the model at the same time.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0),
    default=math.inf,
    help="No question to the model begins later.",
)
@click.option("--min", "minimum", type=click.FloatRange(0, 100), help="Exit with 1 below it.")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write it there."
)
@click.option("--only", help="Only cases with this in their id.")
@click.option(
    "--every",
    type=click.IntRange(min=1),
    default=1,
    help="Only each so-many-th case: a sample, for a slow model.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show the cases that pass, too.")
def evaluate(
    folders: tuple[Path, ...],
    with_model: bool,
    without_rules: bool,
    at_once: int,
    seconds: float,
    minimum: float | None,
    json_file: Path | None,
    only: str | None,
    every: int,
    verbose: bool,
) -> None:
    """Run cases with known causes, and say how many are diagnosed rightly.

    Every folder in or below FOLDERS that has a case.yaml is a case. Rates are told beside those of
    an echo, which repeats the reasons and messages of its input and understands nothing. With
    --model it is told, too, what the model changed.

    Exit codes: 0 all were run, 1 fewer than --min percent are right, or fewer with the model than
    without it; 2 there is no case, one of them is broken, the JSON cannot be written, or --model is
    asked for and there is none.
    """
    from kausa.commands.evaluating import Request, run
    from kausa.errors import KausaError

    try:
        outcome = run(
            Request(
                folders=folders,
                with_model=with_model,
                without_rules=without_rules,
                at_once=at_once,
                seconds=seconds,
                json_file=json_file,
                only=only,
                every=every,
                verbose=verbose,
            )
        )
    except KausaError as error:
        click.echo(f"kausa eval: {error}", err=True)
        sys.exit(2)
    too_few = minimum is not None and outcome.percent < minimum
    sys.exit(1 if too_few or outcome.worse_with_model else 0)
