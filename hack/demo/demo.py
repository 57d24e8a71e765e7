#!/usr/bin/env python3
"""`make demo` and `make demo-down`.

`up` needs the environment that the Makefile makes; `down` needs Python 3.11 and nothing else. The
exit code is 0 when the demo did its work (in a terminal Ctrl-C ends it well), 1 when it could not,
130 when it was cut short.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from types import FrameType

# For `hack.demo`, and for the cluster's own modules.
sys.path.append(str(Path(__file__).resolve().parents[2]))
sys.path.append(str(Path(__file__).resolve().parents[1] / "cluster"))

from hack.demo import removal
from hack.demo.console import forget_stdout, plain, say
from hack.demo.errors import DemoError, Interrupted, RunsAlready
from hack.demo.locking import exclusive
from hack.demo.place import Place

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(description="Five broken workloads and their diagnoses.")
    commands = whole.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="bring all of it up and show the diagnoses as they come")
    up.add_argument(
        "--once",
        action="store_true",
        help="end when all are diagnosed and leave everything up; so it is without a terminal. "
        "DEMO_KEEP_WATCHING=1 or 0 says the same",
    )
    commands.add_parser("down", help="remove everything that the demo made")
    return whole


def keeps_watching(*, once: bool, variable: str | None, terminal: bool) -> bool:
    if once:
        return False
    return variable == "1" if variable in ("0", "1") else terminal


def up(place: Place, *, keep: bool) -> int:
    from hack.demo import bringup

    with exclusive(place.lock):
        try:
            bringup.up(place, keep=keep)
            return 0
        except Interrupted:
            plain("")
            say("Ending the demo: everything that it made is removed.")
            removal.remove(place)
            # In a terminal this is how the demo ends; elsewhere somebody cut it short.
            return 0 if keep else 130


def main(arguments: list[str]) -> int:
    options = parser().parse_args(arguments)
    for number in SIGNALS:
        signal.signal(number, _interrupt)
    place = Place.from_environment(os.environ, home=Path.home())
    try:
        if options.command == "down":
            removal.down(place)
            return 0
        keep = keeps_watching(
            once=options.once,
            variable=os.environ.get("DEMO_KEEP_WATCHING"),
            terminal=sys.stdout.isatty(),
        )
        return up(place, keep=keep)
    except RunsAlready as error:
        say(str(error))
        return 1
    except DemoError as error:
        say(str(error))
        if place.record.exists() and options.command == "up":
            say("What the demo made is still there to be looked at; `make demo-down` removes it.")
        return 1
    except Interrupted:
        say("Stopped before all was removed; `make demo-down` goes on.")
        return 130
    finally:
        forget_stdout()


def _interrupt(number: int, _: FrameType | None) -> None:
    """Once: what is begun then is the removal, and that one is not interrupted."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    if number == signal.SIGHUP:
        # The terminal is gone, and a tool that we start would fail at its first word.
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
    raise Interrupted


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
