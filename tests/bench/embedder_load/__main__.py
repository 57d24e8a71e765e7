"""Load on the embedding worker: `python -m bench.embedder_load [overload|soak] [--seconds N]`."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.embedder_load.overload import QUEUE_TOKENS, overload
from bench.embedder_load.soak import soak
from support.embedder_process import embedder_process

from kausa.settings import default_cache_folder

SECONDS = {"overload": 60.0, "soak": 600.0}


async def measure(which: str, *, model_path: Path, seconds: float, seed: int) -> bool:
    """Start a worker, load it, and say whether the goals were met."""
    settings: dict[str, Any] = {"queue_tokens": QUEUE_TOKENS} if which == "overload" else {}
    with tempfile.TemporaryDirectory() as folder:
        async with embedder_process(Path(folder), model_path=model_path, **settings) as worker:
            print(f"{which}: {seconds:g} s, model {model_path.name}, seed {seed}", flush=True)
            run = overload if which == "overload" else soak
            return await run(worker, seconds=seconds, seed=seed)


def main() -> int:
    """Run what is asked for; 1 where a goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("which", nargs="?", choices=("overload", "soak", "all"), default="all")
    parser.add_argument("--seconds", type=float, help="60 for the overload, 600 for the soak")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--model-path",
        type=Path,
        default=default_cache_folder() / "models" / "all-MiniLM-L6-v2-w8a8",
    )
    given = parser.parse_args()
    met = True
    for which in SECONDS if given.which == "all" else (given.which,):
        seconds = given.seconds or SECONDS[which]
        met &= asyncio.run(
            measure(which, model_path=given.model_path, seconds=seconds, seed=given.seed)
        )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
