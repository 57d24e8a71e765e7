"""`make bench-redaction`: 10,000 planted secrets, and a megabyte in which there are none.

The exit code is 1 where a secret got out, where more than one clean word in a thousand is hidden,
or where whole texts were withheld.
"""

from __future__ import annotations

import argparse
import sys

from bench.redaction.measuring import Clean, Planted, measure_clean, measure_planted

MOST_PER_THOUSAND = 1.0


def main(arguments: list[str]) -> int:
    """Print both numbers, the counts by kind and the speed."""
    options = _parser().parse_args(arguments)
    planted = measure_planted(seed=options.seed, secrets=options.secrets)
    clean = measure_clean(seed=options.seed, size=options.size)
    _print_kinds(planted)
    _print_leaks(planted)
    _print_numbers(planted, clean)
    failed = planted.leaks or planted.withheld or clean.result.per_thousand >= MOST_PER_THOUSAND
    return 1 if failed else 0


def _print_kinds(planted: Planted) -> None:
    print(f"{'kind':24} {'planted':>8} {'found in what left':>20}")
    for kind, count in planted.kinds.items():
        print(f"{kind:24} {count:8} {planted.leaked[kind]:20}")


def _print_leaks(planted: Planted) -> None:
    for how, door, around in planted.leaks[:40]:
        print(f"LEAK {how} by {door}: {around!r}")


def _print_numbers(planted: Planted, clean: Clean) -> None:
    total = sum(planted.kinds.values())
    print(f"\n{total} secrets of {len(planted.kinds)} kinds in {planted.scenes} scenes,")
    left = f"{planted.megabytes:.1f} MB left by {planted.doors} doors"
    print(f"{left} in {planted.seconds:.0f} s of CPU")
    print(f"found in what left: {sum(planted.leaked.values())}; texts withheld: {planted.withheld}")
    print(
        f"clean log: {clean.result.tokens} words in {clean.characters / 1e6:.2f} MB, "
        f"{len(clean.result.hidden)} hidden wrongly = {clean.result.per_thousand:.3f} of 1,000"
    )
    for word, count in clean.worst:
        print(f"  {count:6} {word}")
    print(
        f"speed: {clean.megabytes_per_second:.1f} MB/s on that log, "
        f"{clean.plain_megabytes_per_second:.1f} MB/s on plain request lines"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench.redaction", description=__doc__)
    parser.add_argument("--secrets", type=int, default=10_000, help="how many are planted")
    parser.add_argument("--size", type=int, default=1_000_000, help="of the clean log, characters")
    parser.add_argument("--seed", type=int, default=20_260_102, help="of all that is random")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
