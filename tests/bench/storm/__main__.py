"""`make bench-storm`: 20,000 pods stand, then 50 Deployments of 100 pods fail within 10 s.

Needs the local cluster. The exit code is 1 where the operator misses a goal.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from bench.storm.outcome import rows, table
from bench.storm.place import Size
from bench.storm.storm import storm
from support.cluster import kubeconfig_path
from support.crds import apply_crds

QUIET_SECONDS = 60.0


def main(arguments: list[str]) -> int:
    """Run one storm and print what it was like."""
    options = _parser().parse_args(arguments)
    size = Size(
        pods=options.pods,
        deployments=options.deployments,
        replicas=options.replicas,
        spread_seconds=options.spread,
    )
    kubeconfig = kubeconfig_path()
    apply_crds(kubeconfig)
    return asyncio.run(
        _run(kubeconfig, size, quiet=options.quiet, keep_controllers=options.controllers)
    )


async def _run(kubeconfig: str, size: Size, *, quiet: float, keep_controllers: bool) -> int:
    with tempfile.TemporaryDirectory() as folder:
        async with storm(
            kubeconfig=kubeconfig,
            folder=Path(folder),
            size=size,
            quiet_seconds=quiet,
            keep_controllers=keep_controllers,
        ) as outcome:
            found = rows(outcome)
            # Before all is cleared away, which takes a while and can be interrupted.
            print(table(found), flush=True)
    return 1 if any(row.failed for row in found) else 0


def _parser() -> argparse.ArgumentParser:
    usual = Size()
    parser = argparse.ArgumentParser(prog="bench.storm", description=__doc__)
    parser.add_argument("--pods", type=int, default=usual.pods, help="that stand and are healthy")
    parser.add_argument("--deployments", type=int, default=usual.deployments, help="that fail")
    parser.add_argument("--replicas", type=int, default=usual.replicas, help="of each of them")
    parser.add_argument(
        "--spread", type=float, default=usual.spread_seconds, help="seconds over which they fail"
    )
    parser.add_argument(
        "--quiet", type=float, default=QUIET_SECONDS, help="seconds in which nothing more may come"
    )
    parser.add_argument(
        "--controllers",
        action="store_true",
        help="let the cluster's controllers write their own status while the pods fail",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
