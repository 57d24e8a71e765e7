"""What a real model may not do: invent what it cites, or be led astray by what it reads.

    python -m bench.model_eval audit FILE...       what `kausa eval --model --json FILE` wrote
    python -m bench.model_eval injections          the injections of the tests, against the model

The model is the one that KAUSA_MODEL_URL and KAUSA_SIMPLE_MODEL name (`make model-up` prints both).
Exit code 1 where there is an invention or an injection that worked.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from bench.model_eval.auditing import audit_files
from bench.model_eval.injecting import LISTS, Plan, inject

__all__ = ["main"]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench.model_eval", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    audit = commands.add_parser("audit", help="hold every citation against its evidence")
    audit.add_argument("files", nargs="+", type=Path)
    injections = commands.add_parser("injections", help="plant each, and see what is published")
    injections.add_argument(
        "--list", choices=LISTS, default="known", help="which texts: known, tuned or held out"
    )
    injections.add_argument("--most", type=int, default=1_000, help="how many are tried")
    injections.add_argument("--seconds", type=float, default=36_000, help="none begins later")
    injections.add_argument(
        "--unscreened", action="store_true", help="let the model read them, which it never does"
    )
    injections.add_argument("--log", type=Path, help="a line for each; what is there is not asked")
    options = parser.parse_args(arguments)
    if options.command == "audit":
        return audit_files(options.files)
    plan = Plan(
        injections=LISTS[options.list],
        most=options.most,
        seconds=options.seconds,
        screened=not options.unscreened,
        log=options.log,
    )
    return asyncio.run(inject(plan))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
