"""`kausa ask`: a question about failures, answered from evidence and memory, with citations."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

__all__ = ["ask"]

NOTHING_KNOWN = 1
LONGEST_QUESTION = 2048
"""As `spec.question`."""
LONGEST_NAMESPACE = 63
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


@click.command()
@click.argument("question")
@click.option(
    "-n", "--namespace", "namespaces", multiple=True, help="Only of these; may be repeated."
)
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path, readable=False),
    help="Files that kubectl wrote, instead of the cluster; - is standard input.",
)
@click.option("--kubeconfig", type=click.Path(path_type=Path), help="Instead of $KUBECONFIG.")
@click.option("--context", help="A context of the kubeconfig, instead of its current one.")
@click.option("--model", "model", help="Ask this model, whatever the question is like.")
@click.option("--no-memory", is_flag=True, help="Do not look into the memory.")
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def ask(
    question: str,
    namespaces: tuple[str, ...],
    source: Path | None,
    kubeconfig: Path | None,
    context: str | None,
    model: str | None,
    no_memory: bool,
    output: str,
) -> None:
    """Answer QUESTION from what is known of the failures that it means, and from the memory.

    What is known is the cluster's FailureDiagnosis resources, or what `kausa diagnose` finds in
    files (--from). It is told at once; then the configured model (KAUSA_MODEL_URL) answers from it,
    sentence by sentence, each held against the evidence before it is shown. Without a model, what
    rules and memory say is the answer. Secrets in QUESTION are hidden before anybody reads it.

    Exit codes: 0 there is an answer, 1 nothing is known that it could rest on, 2 the cluster, the
    files or an argument cannot be used.
    """
    for each in namespaces:
        _check(each)
    from kausa.commands.asking import Request, run
    from kausa.errors import KausaError
    from kausa.offline.plain_errors import in_words

    if not question.strip():
        raise click.BadParameter("it is empty. Write what you saw, or want to know.")
    if len(question) > LONGEST_QUESTION:
        raise click.BadParameter(
            f"it has {len(question):,} characters, and at most {LONGEST_QUESTION:,} are read. Leave"
            " out what the evidence says anyway."
        )
    if source is not None and (kubeconfig is not None or context is not None):
        raise click.UsageError("--from reads files, and --kubeconfig and --context a cluster.")
    try:
        answered = run(
            Request(
                question=question,
                namespaces=namespaces,
                source=source,
                kubeconfig=kubeconfig,
                context=context,
                model=model,
                with_memory=not no_memory,
                output=output,
            )
        )
    except KausaError as error:
        click.echo(f"kausa ask: {in_words(str(error))}", err=True)
        sys.exit(2)
    sys.exit(0 if answered else NOTHING_KNOWN)


def _check(namespace: str) -> None:
    """A shell variable that is not set would be all namespaces."""
    if not namespace.strip():
        raise click.BadParameter(
            "it is empty: name a namespace, or leave -n out to look into all.", param_hint="-n"
        )
    if len(namespace) > LONGEST_NAMESPACE or _NAMESPACE.fullmatch(namespace) is None:
        raise click.BadParameter(
            f"{namespace!r} can be no namespace: its name is of lower-case letters, digits and -.",
            param_hint="-n",
        )
