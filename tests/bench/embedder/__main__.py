"""How near our worker comes to what the hardware gives: `make bench-embedder`.

Every contender runs in a process of its own, so that the peak of its memory is its own; all take
turns over several rounds, and of each the best round counts, so that what else the machine does
hits none of them alone.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import asdict

from bench.embedder.contenders import CONTENDERS
from bench.embedder.measuring import Result
from bench.embedder.texts import draw

from kausa_embedder.cpus import available_cpus

GOALS = (
    ("engine at 64 clients, of the limit", "engine-64", "raw", "texts_per_second", 0.9, True),
    ("engine at 64 clients, of fastembed", "engine-64", "fastembed", "texts_per_second", 1.3, True),
    ("http at 64 clients, of the limit", "http-64", "raw", "texts_per_second", 0.9, True),
    ("one short text, of the raw call", "engine-1", "raw", "single_p50_ms", 1.3, False),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=available_cpus())
    parser.add_argument("--only", nargs="*", default=list(CONTENDERS), choices=list(CONTENDERS))
    parser.add_argument("--one", choices=list(CONTENDERS), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        result = CONTENDERS[given.one](draw(given.texts), given.threads)
        print(json.dumps(asdict(result)))
        return 0
    best: dict[str, Result] = {}
    for _ in range(given.rounds):
        for name in given.only:
            result = run(name, texts=given.texts, threads=given.threads)
            if name not in best or result.texts_per_second > best[name].texts_per_second:
                single = min(
                    result.single_p50_ms,
                    *([best[name].single_p50_ms] if name in best else [result.single_p50_ms]),
                )
                best[name] = Result(**(asdict(result) | {"single_p50_ms": single}))
    print(f"{given.texts} texts, {given.threads} threads, best of {given.rounds} rounds")
    print(table(best))
    return 0 if judge(best) else 1


def run(name: str, *, texts: int, threads: int) -> Result:
    """One contender, once, in a process of its own."""
    command = [sys.executable, "-m", "bench.embedder", "--one", name]
    command += ["--texts", str(texts), "--threads", str(threads)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=1800)
    return Result(**json.loads(done.stdout.splitlines()[-1]))


def table(best: dict[str, Result]) -> str:
    lines = [
        f"{'':10} {'texts/s':>8} {'of raw':>7} {'tokens/s':>9} {'padding':>8} {'p50 ms':>8} "
        f"{'p95 ms':>8} {'p99 ms':>8} {'single':>8} {'RSS MiB':>8}"
    ]
    limit = best["raw"].texts_per_second if "raw" in best else float("nan")
    for name, of in best.items():
        lines.append(
            f"{name:10} {of.texts_per_second:8.1f} {of.texts_per_second / limit:7.2f} "
            f"{of.tokens_per_second:9.0f} {of.padding:8.1%} {of.p50_ms:8.1f} {of.p95_ms:8.1f} "
            f"{of.p99_ms:8.1f} {of.single_p50_ms:8.2f} {of.rss_mib:8.0f}"
        )
    return "\n".join(lines)


def judge(best: dict[str, Result]) -> bool:
    """Compare with the goals of which both sides were measured."""
    met = True
    for text, one, other, field, goal, more in GOALS:
        if one in best and other in best:
            ratio = getattr(best[one], field) / getattr(best[other], field)
            reached = ratio >= goal if more else ratio <= goal
            met &= reached
            sign = "at least" if more else "at most"
            print(f"{'met   ' if reached else 'MISSED'} {text}: {ratio:.2f} ({sign} {goal})")
    return met


if __name__ == "__main__":
    sys.exit(main())
