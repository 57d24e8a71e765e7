"""The command line: `kausa run` is the operator, the others work on files and need no cluster.

Each command is imported when it is used: the operator's libraries take half a second to import,
which nobody wants to wait for who asks for help or diagnoses a folder.
"""

from __future__ import annotations

from importlib import import_module

import click

from kausa import __version__

__all__ = ["main"]

COMMANDS = {
    "ask": "Answer a question about what fails, from evidence and memory, with citations.",
    "diagnose": "Say what fails in a folder of files, and why, without a cluster.",
    "eval": "Run cases with known causes, and say how many are diagnosed rightly.",
    "ingest": "Put folders of runbooks, logs, manifests and events into the memory.",
    "memory": "Look after the memory: status, sync, migrate, backup, restore, prune.",
    "query-analysis": "Show what is understood of a question.",
    "recall": "Ask the memory a question, and see why each answer stands where it stands.",
    "redact": "Show what would be hidden in a text before it leaves the cluster.",
    "run": "Run the operator until Ctrl-C or SIGTERM.",
}
"""Each is a function of its own name (`evaluate` for `eval`) in a module of `kausa.commands`."""
_FUNCTIONS = {"eval": "evaluate"}


class _LazyGroup(click.Group):
    """Lists its commands without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        module = import_module(f"kausa.commands.{name}")
        command: click.Command = getattr(module, _FUNCTIONS.get(name, name))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="kausa")
def main() -> None:
    """Kausa: the cause of every Kubernetes failure, as a resource."""
