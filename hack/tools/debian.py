#!/usr/bin/env python3
"""`python3 hack/tools/debian.py promtool`: prints where a program from a Debian package lies.

The one on PATH, else one out of the package, which is downloaded and unpacked into the cache. It
is not installed: Debian's prometheus would be started as a service, on the port of one that may run
here already, and would stay. apt holds what it downloads to the hashes that Debian has signed.

The exit code is 0 when the path was printed, 1 when something failed, and 2 when this machine lacks
something.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "cluster"))

from localcluster.console import say
from localcluster.errors import CannotRun, ClusterError
from localcluster.gobuild import Aside
from localcluster.layout import Layout
from localcluster.locking import exclusive
from localcluster.packages import APT_TIMEOUT_S, find
from localcluster.processes import run

PACKAGES = {"prometheus": "prometheus", "promtool": "prometheus"}
"""Each program, and the package that has it. They need nothing but the C library."""


def ensure(tool: str, *, environment: Mapping[str, str], home: Path) -> Path:
    """Where the program lies; fetched once.

    Raises:
        CannotRun: this machine has neither the program nor apt.
        ClusterError: the package could not be fetched or has no such program.
    """
    if (found := find(tool)) is not None:
        return found
    package = PACKAGES[tool]
    cache = Layout.from_environment(environment, home=home).root.parent / "tools"
    folder = cache / f"debian-{package}"
    program = folder / "usr" / "bin" / tool
    if program.is_file():
        return program
    if find("apt-get") is None or find("dpkg-deb") is None:
        raise CannotRun(
            f"{tool} is not on PATH, and this machine has no apt-get to fetch Debian's package"
            f" {package} with; install it by hand."
        )
    cache.mkdir(parents=True, exist_ok=True)
    with exclusive(cache / "lock"):
        if not program.is_file():
            _unpack(package, folder)
    if not program.is_file():
        raise ClusterError(f"Debian's package {package} has no {tool}.")
    return program


def _unpack(package: str, folder: Path) -> None:
    say(f"Fetching Debian's package {package} into {folder} (once).")
    with Aside(folder.parent / "unpacking") as aside:
        # Where apt has no lists yet, or they are too old, they are read anew; that needs root.
        if not _downloaded(package, aside) and not (_updated() and _downloaded(package, aside)):
            raise ClusterError(
                f"apt-get could not download {package}. As root, run apt-get update, or install"
                f" {package}, and try again."
            )
        archive = next(aside.glob("*.deb"))
        whole = aside / "whole"
        done = run(("dpkg-deb", "-x", str(archive), str(whole)), timeout_s=APT_TIMEOUT_S)
        if done.returncode:
            raise ClusterError(f"{archive.name} cannot be unpacked: {done.stderr.strip()[-300:]}")
        whole.rename(folder)


def _downloaded(package: str, folder: Path) -> bool:
    # apt-get downloads into the folder in which it runs.
    command = ("env", "-C", str(folder), "apt-get", "download", "-q", package)
    return run(command, timeout_s=APT_TIMEOUT_S).returncode == 0


def _updated() -> bool:
    return run(("apt-get", "update", "-q"), timeout_s=APT_TIMEOUT_S).returncode == 0


def main(arguments: list[str]) -> int:
    """Print the path of the program that is asked for."""
    parser = argparse.ArgumentParser(description="Programs out of Debian packages.")
    parser.add_argument("tool", choices=sorted(PACKAGES))
    tool = parser.parse_args(arguments).tool
    try:
        print(ensure(tool, environment=os.environ, home=Path.home()))
    except ClusterError as error:
        say(str(error))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
