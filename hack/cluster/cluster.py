#!/usr/bin/env python3
"""A Kubernetes for tests and for the demo, on this machine.

Standard library only (Python 3.11 or later). The exit code is 0 when the command did its work, 1
when it failed, and 2 when this machine lacks something that it needs. What people read goes to
stderr.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from localcluster.components import NAMES
from localcluster.console import say
from localcluster.errors import ClusterError
from localcluster.fakenodes import NODES
from localcluster.layout import Layout
from localcluster.providers import Provider, choose


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(description="A Kubernetes for tests and for the demo.")
    commands = whole.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="bring the cluster up, or say that it is up already")
    commands.add_parser("down", help="take it away with all that it changed on the machine")
    commands.add_parser("status", help="a line for each component; exit code 0 if all run")
    commands.add_parser("kubeconfig", help="print the path of the kubeconfig")
    load = commands.add_parser(
        "load", aliases=["load-image"], help="load image archives into the node"
    )
    load.add_argument("archives", metavar="ARCHIVE", nargs="+", type=Path)
    fake = commands.add_parser("kwok", help="fake nodes, for thousands of pods without a process")
    actions = fake.add_subparsers(dest="action", required=True)
    more = actions.add_parser("up", help="add fake nodes to the cluster that is up")
    more.add_argument("--nodes", type=int, default=NODES, help=f"how many ({NODES})")
    actions.add_parser("down", help="take them away with their pods")
    for name in ("stop", "restart"):
        command = commands.add_parser(name, help=f"{name} one component")
        command.add_argument("component", choices=NAMES)
    return whole


def perform(options: argparse.Namespace, cluster: Provider) -> int:
    match options.command:
        case "up":
            cluster.up()
        case "down":
            cluster.down()
        case "status":
            return 0 if cluster.status() else 1
        case "kubeconfig":
            print(cluster.kubeconfig)
        case "load" | "load-image":
            for archive in options.archives:
                cluster.load_image(archive.absolute())
        case "kwok" if options.action == "up":
            cluster.kwok_up(options.nodes)
        case "kwok":
            cluster.kwok_down()
        case "stop":
            cluster.stop(options.component)
        case "restart":
            cluster.restart(options.component)
    return 0


def main(arguments: list[str]) -> int:
    options = parser().parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    try:
        layout = Layout.from_environment(os.environ, home=Path.home())
        return perform(options, choose(os.environ, layout))
    except ClusterError as error:
        say(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output left (`| head`); Python would complain once more at its end.
        sys.stdout = None
        return 1


def _leave(number: int, _: FrameType | None) -> None:
    """Ends the command through its own undoing."""
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
