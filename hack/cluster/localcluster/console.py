"""Words for people go to stderr, so that stdout stays what a script can read."""

from __future__ import annotations

import sys


def say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
