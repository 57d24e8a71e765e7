"""How to look further: lines to paste, each of which works as it stands."""

from __future__ import annotations

import os
from pathlib import Path
from shlex import quote

from hack.demo.place import Place
from hack.demo.shop import HEALTHY, NAMESPACE
from hack.demo.table import Table

FIXES = (
    r"""jsonpath='{range .status.diagnosis.remediation[*]}{.title}{"\n  "}{.rationale}"""
    r"""{"\n  "}{.command}{"\n"}{end}'"""
)


def name_of(table: Table, workload: str) -> str:
    """The name of a workload's FailureDiagnosis."""
    return next(
        row["NAME"]
        for row in table.rows
        if row["NAMESPACE"] == NAMESPACE and row["TARGET"] == f"Deployment/{workload}"
    )


def hints(table: Table, *, kubeconfig: Path, kubectl: Path, search_path: str) -> str:
    """The block that is shown once all are diagnosed."""
    setup = [f"export KUBECONFIG={quote(str(kubeconfig))}"]
    if str(kubectl.parent) not in search_path.split(os.pathsep):
        setup.append(f'export PATH="$PATH":{quote(str(kubectl.parent))}')
    checkout, indexer = name_of(table, "checkout"), name_of(table, "indexer")
    steps = {
        "In any other shell, first:": setup,
        "Everything about one failure, each statement with its evidence:": [
            f"kubectl describe fd -n {NAMESPACE} {checkout}"
        ],
        "What to do about one:": [f"kubectl get fd -n {NAMESPACE} {indexer} -o {FIXES}"],
        "What the fields mean:": ["kubectl explain fd.status.diagnosis"],
        "Ask about a Pod that is healthy, and see one more resource a moment later:": [
            f"kubectl annotate pod -n {NAMESPACE} -l app={HEALTHY} --overwrite "
            'kausa.dev/diagnose="is it slow?"',
            f"sleep 2; kubectl get fd -n {NAMESPACE} -o wide",
        ],
    }
    lines = ["", "Look further", ""]
    for title, commands in steps.items():
        lines += [f"  {title}", *(f"    {command}" for command in commands), ""]
    return "\n".join(lines)


def whereabouts(place: Place) -> str:
    return f"The operator's log: {place.operator_log}"
