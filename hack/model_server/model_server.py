#!/usr/bin/env python3
"""`make model-up` and `make model-down`: a real model server for tests and for the evaluation.

The server is the one that KAUSA_MODEL_URL names, else an `ollama` on PATH, else one that is built
here. What a shell can use goes to stdout (`export $(make -s model-up)`), words for people to
stderr. The exit code is 0 when the command did its work, 1 when it failed, and 2 when this machine
lacks something that it needs.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from types import FrameType

# For `hack.model_server`, and for the cluster's own modules.
sys.path.append(str(Path(__file__).resolve().parents[2]))
sys.path.append(str(Path(__file__).resolve().parents[1] / "cluster"))

from hack.model_server import building, serving, weights
from hack.model_server.place import MODELS, Place, modelfile, threads

from localcluster.console import say
from localcluster.errors import ClusterError
from localcluster.locking import exclusive

SMALLEST = "0.5b"


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(description="A real model server for tests.")
    commands = whole.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start it, or say that it runs; prints its address")
    up.add_argument("--model", choices=list(MODELS), default=SMALLEST)
    commands.add_parser("down", help="stop it; what was built and downloaded stays in the cache")
    commands.add_parser("status", help="print its address; exit code 1 if it does not run")
    return whole


def up(place: Place, size: str) -> None:
    """Print the address and the name of a model that answers there."""
    model = MODELS[size]
    if url := os.environ.get("KAUSA_MODEL_URL"):
        url = url.rstrip("/")
        name = os.environ.get("KAUSA_SIMPLE_MODEL", model.name)
        serving.check_named(url, name)
        show(url, name)
        return
    count = threads(os.environ, cores=os.cpu_count() or 1)
    with exclusive(place.lock):
        binary = building.ensure(place.root, os.environ)
        file = weights.ensure(place.weights, model)
        url = serving.ensure(place, binary)
        text = modelfile(file, threads=count)
        serving.add(place, binary, url=url, model=model.name, modelfile=text)
    say(f"{model.name} is served at {url}; `make model-down` stops it.")
    show(url, model.name)


def down(place: Place) -> None:
    with exclusive(place.lock):
        stopped = serving.stop(place)
    say("Stopped the model server." if stopped else "No model server of ours runs.")


def show(url: str, name: str) -> None:
    # One model is both: the operator asks for another where a failure is hard.
    lines = (
        f"KAUSA_MODEL_URL={url}",
        f"KAUSA_SIMPLE_MODEL={name}",
        f"KAUSA_REASONING_MODEL={name}",
    )
    print(*lines, sep="\n", flush=True)


def status(place: Place) -> int:
    url = serving.address(place)
    if url is None:
        say("No model server of ours runs.")
        return 1
    print(f"KAUSA_MODEL_URL={url}", flush=True)
    return 0


def main(arguments: list[str]) -> int:
    options = parser().parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    place = Place.from_environment(os.environ, home=Path.home())
    try:
        match options.command:
            case "up":
                up(place, options.model)
            case "down":
                down(place)
            case "status":
                return status(place)
    except ClusterError as error:
        say(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0


def _leave(number: int, _: FrameType | None) -> None:
    """Ends the command through its own undoing."""
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
