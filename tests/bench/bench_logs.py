"""How fast a log is read, and in how much memory, beside `for line in file`.

Run it with `PYTHONPATH=tests python tests/bench/bench_logs.py [megabytes]`. Each kind of log is a
file of that size (100 by default) with one decisive error in it, which must be found. MB/s are of
CPU time; the memory is what the process has grown by at its peak, each kind in a fresh process
(Linux only).
"""

from __future__ import annotations

import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from kausa.evidence.logs import LogScanner, LogSummary, account_of

CHUNK_BYTES = 64 * 1024
MEGABYTES = 100
NEEDLE = "ERROR no connection to ledger-db:5432 in 30s"
FOUND = "no connection to ledger-db:5432 in 30s"
MOST_MEMORY_MIB = 30
BLOCK_LINES = 20_000
LETTERS = "abcdefghijklmnopqrstuvwxyz"

Kind = Callable[[int, random.Random], str]


def plain(number: int, rng: random.Random) -> str:
    """A healthy server, with a hexadecimal id in each line."""
    clock = f"{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}"
    return f"2026-03-04T{clock}Z INFO served request {rng.getrandbits(128):032x} in {number % 97}ms"


def json_lines(number: int, rng: random.Random) -> str:
    """The same as JSON, with the numbered levels of pino."""
    return (
        f'{{"level":30,"time":{1_772_619_072_000 + number},"pid":1,"req":{{"id":"{rng.random()}",'
        f'"url":"/api/orders/{number}"}},"msg":"request completed","responseTime":{number % 97}}}'
    )


def access(number: int, rng: random.Random) -> str:
    """What nginx writes."""
    code = rng.choice((200, 200, 200, 304, 404))
    return (
        f"10.0.{number % 256}.{number % 199} - - [04/Mar/2026:10:11:{number % 60:02} +0000] "
        f'"GET /orders/{number} HTTP/1.1" {code} {number % 9999} "-" "curl/8.5.0"'
    )


def words(number: int, rng: random.Random) -> str:
    """No two lines are alike: names without any digit."""
    name = "".join(rng.choices(LETTERS, k=9))
    return f"2026-03-04T10:11:{number % 60:02}Z INFO customer {name} has bought {name[::-1]}"


def warnings(number: int, rng: random.Random) -> str:
    """A warning in every other line."""
    level = "WARN cache is cold for key" if number % 2 else "INFO cache is warm for key"
    return f"2026-03-04T10:11:{number % 60:02}Z {level} {rng.getrandbits(32)}"


def traces(number: int, rng: random.Random) -> str:
    """A warning with a stack trace in every tenth entry."""
    line = plain(number, rng)
    if number % 10:
        return line
    frames = "\n".join(f"\tat com.acme.Ledger.step{n}(Ledger.java:{n})" for n in range(8))
    return f"{line.replace('INFO', 'WARN')}\njava.io.IOException: try {number}\n{frames}"


KINDS: tuple[Kind, ...] = (plain, json_lines, access, words, warnings, traces)


def written(kind: Kind, path: Path, *, size: int) -> None:
    """A log of one kind; its block of lines is repeated with the needle in one of them."""
    rng = random.Random(kind.__name__)
    block = ("\n".join(kind(number, rng) for number in range(BLOCK_LINES)) + "\n").encode()
    repeats = max(size // len(block), 1)
    with path.open("wb") as file:
        for number in range(repeats):
            file.write(block)
            if number == repeats // 3:
                file.write(f"2026-03-04T10:11:12Z {NEEDLE}\n".encode())


def scanned(path: Path) -> LogSummary:
    """The log, as the gatherer reads it."""
    scanner = LogScanner()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            scanner.feed(chunk)
    return scanner.finish()


def peak_kib() -> int:
    """The most memory that this process has had, since that was reset."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


def measured(kind: Kind, path: Path) -> tuple[str, bool]:
    """A row of the table, and whether all is as it must be."""
    size = path.stat().st_size
    started = time.process_time()
    with path.open("rb") as file:
        for _ in file:
            pass
    lines_only = time.process_time() - started
    # The peak of the process that started this one would be taken for ours.
    Path("/proc/self/clear_refs").write_text("5")
    before = peak_kib()
    started = time.process_time()
    summary = scanned(path)
    seconds = time.process_time() - started
    grown = (peak_kib() - before) / 1024
    found = summary.decisive is not None and account_of(summary.decisive.entry.text).decisive
    row = (
        f"{kind.__name__:12} {size / 1e6:6.0f} MB {summary.lines:10} lines "
        f"{size / seconds / 1e6:7.1f} MB/s  for line in file {size / lines_only / 1e6:7.0f} MB/s  "
        f"memory +{grown:4.1f} MiB  decisive {'found' if found == FOUND else f'WRONG: {found}'}"
    )
    return row, found == FOUND and grown < MOST_MEMORY_MIB


def main() -> int:
    """Print a row for each kind of log."""
    size = int(sys.argv[1] if len(sys.argv) > 1 else MEGABYTES) * 1_000_000
    good = True
    context = multiprocessing.get_context("spawn")
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "container.log"
            written(kind, path, size=size)
            with context.Pool(1) as pool:
                row, right = pool.apply(measured, (kind, path))
        print(row, flush=True)
        good = good and right
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
