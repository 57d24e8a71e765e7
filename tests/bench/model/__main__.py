"""`make bench-model`: a thousand owners fail at once, and one slow model is to answer them all.

Needs the local cluster. The exit code is 1 where the operator misses a goal.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.model.storm import Outcome, Plan, run
from bench.storm.outcome import Row, percentile, table
from support.cluster import kubeconfig_path
from support.crds import apply_crds

FACTS_SECONDS = 30.0
"""As the storm of `make bench-storm` has it: a resource at once, its cause a moment later."""
OVERTAKEN_SECONDS = 60.0
MEMORY_MIB = 256.0


def main(arguments: list[str]) -> int:
    """Run one storm and print what it was like."""
    usual = Plan()
    parser = argparse.ArgumentParser(prog="bench.model", description=__doc__)
    parser.add_argument("--owners", type=int, default=usual.owners, help="that fail at once")
    parser.add_argument(
        "--seconds", type=float, default=usual.answer_seconds, help="that an answer takes"
    )
    options = parser.parse_args(arguments)
    plan = Plan(owners=options.owners, answer_seconds=options.seconds)
    kubeconfig = kubeconfig_path()
    apply_crds(kubeconfig)
    with tempfile.TemporaryDirectory() as folder:
        outcome = asyncio.run(run(kubeconfig=kubeconfig, folder=Path(folder), plan=plan))
    found = list(rows(outcome))
    print(table(found), flush=True)
    return 1 if any(row.failed for row in found) else 0


def rows(outcome: Outcome) -> Iterator[Row]:
    """The table's lines."""
    plan, owners = outcome.plan, outcome.plan.owners
    yield Row(
        "owners that failed", str(len(outcome.gathered)), f"{owners}",
        len(outcome.gathered) == owners,
    )  # fmt: skip
    for what, seconds in (("resource", outcome.opened), ("rules' diagnosis", outcome.facts)):
        yield Row(f"failure to the {what}, p50", f"{percentile(seconds, 0.5):.1f} s")
        # A quarter crashes and leaves no log, so that only all of the evidence tells what can be.
        yield Row(f"failure to the {what}, p74", f"{percentile(seconds, 0.74):.1f} s")
        yield Row(f"failure to the {what}, p99", f"{percentile(seconds, 0.99):.1f} s")
    p50, p99, worst = (percentile(outcome.gathered, share) for share in (0.5, 0.99, 1.0))
    yield Row("failure to the diagnosis with all evidence, p50", f"{p50:.1f} s")
    yield Row(
        "failure to the diagnosis with all evidence, p99",
        f"{p99:.1f} s",
        f"< {FACTS_SECONDS:.0f} s",
        p99 < FACTS_SECONDS,
    )
    yield Row("failure to the diagnosis with all evidence, worst", f"{worst:.1f} s")
    yield Row(
        "waited for the model at most",
        str(outcome.most_waiting),
        f"<= {owners}",
        0 < outcome.most_waiting <= owners,
    )
    yield Row(
        "asked at the same time",
        str(outcome.most_at_once),
        "1",
        outcome.most_at_once == 1,
    )
    tokens = outcome.tokens_in_first_hour
    yield Row(
        "tokens in the first hour", f"{tokens:,}", f"<= {plan.budget:,}", tokens <= plan.budget
    )
    yield Row("answered in the first hour", str(outcome.answered_in_first_hour))
    said = outcome.said_then
    yield Row(
        "of the others, say BudgetSpent",
        str(said.get("BudgetSpent", 0)),
        str(owners - said.get("Answered", 0)),
        said.get("BudgetSpent", 0) == owners - said.get("Answered", 0),
    )
    answered = outcome.said_at_the_end.get("Answered", 0)
    yield Row("answered in the end", str(answered), str(owners), answered == owners)
    twice = len(outcome.questions) - len({each.about for each in outcome.questions})
    yield Row("asked twice", str(twice), "0", twice == 0)
    overtaken = _overtaken(outcome)
    yield Row(
        "overtaken by one opened later, at most",
        f"{overtaken:.1f} s",
        f"< {OVERTAKEN_SECONDS:.0f} s",
        overtaken < OVERTAKEN_SECONDS,
    )
    yield Row("Leases lost, on a machine too busy", str(outcome.leases_lost))
    yield Row("memory of the operator", f"{outcome.resident_mib:.0f} MiB")


def _overtaken(outcome: Outcome) -> float:
    """How much later at most one was opened that was asked about before another like it.

    Those of other urgency may go first; the failures of one kind are alike.
    """
    kinds = 4  # `bench.storm.documents.FAILURES`, in turn
    worst = 0.0
    for kind in range(kinds):
        latest = 0.0
        for each in outcome.questions:
            number = int(each.about.rpartition("-")[2] or 0)
            opened = outcome.created.get(each.about)
            if number % kinds != kind or opened is None:
                continue
            worst = max(worst, latest - opened)
            latest = max(latest, opened)
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
