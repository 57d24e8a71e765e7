"""The command line: `kausa-embedder serve` is the worker, `fetch` fills the cache and ends."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from kausa_embedder.settings import InvalidSettingsError, Settings

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say, and return the exit code: 1 the model, 2 the settings."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        settings = Settings.from_environment(
            **{name: value for name, value in vars(given).items() if name != "command"}
        )
    except InvalidSettingsError as error:
        print(error, file=sys.stderr)
        return 2
    # Imported when used: half a second that nobody wants to wait for who asks for help.
    from kausa_embedder.service.logs import configure_logs

    configure_logs(style=settings.log_format, level=settings.log_level)
    if given.command == "fetch":
        return _fetch(settings)
    from kausa_embedder.service.server import run

    return run(settings)


def _fetch(settings: Settings) -> int:
    """Load what the settings name, downloading what is not there, and say what it is."""
    from dataclasses import replace

    from kausa_embedder.errors import EmbedderError
    from kausa_embedder.loading import load
    from kausa_embedder.service.fetching_log import FetchingLog

    try:
        loaded = load(
            replace(settings.engine_options(), download=True), report=FetchingLog().report
        )
    except EmbedderError as error:
        print(error, file=sys.stderr)
        return 1
    names = [loaded.spec.name] + ([loaded.scorer_spec.name] if loaded.scorer_spec else [])
    print(f"{' and '.join(names)}: complete, and can be loaded")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kausa-embedder",
        description="Turns texts into vectors, over HTTP. Every setting is KAUSA_EMBEDDER_<NAME>; "
        "those that are asked for most have an option, too.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser("serve", help="serve until SIGTERM")
    fetching = commands.add_parser("fetch", help="bring the model into the cache, check it, end")
    serving.add_argument("--host", help="the address to listen on")
    serving.add_argument("--port", type=int, help="the port to listen on; 0 takes a free one")
    for command in (serving, fetching):
        command.add_argument("--model", help="offline, cpu, gpu, or a model's name")
        command.add_argument("--model-path", help="the folder in which the model lies")
        command.add_argument("--provider", choices=("auto", "cpu", "cuda"), help="the device")
        command.add_argument("--log-level", choices=("debug", "info", "warning", "error"))
    return parser
