"""The mounts under the cluster's folder: all are ours, and none may be left when the folder is
removed.
"""

from __future__ import annotations

import re
from pathlib import Path

from localcluster.processes import run


def unescape(path: str) -> str:
    """Paths in /proc have their spaces and the like as three octal digits."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), path)


def under(mounts: str, folder: Path) -> list[str]:
    """The mount points of /proc/mounts under a folder, the last mounted first."""
    points = [unescape(line.split()[1]) for line in mounts.splitlines()]
    return [point for point in reversed(points) if Path(point).is_relative_to(folder)]


def remaining(folder: Path) -> list[str]:
    return under(Path("/proc/self/mounts").read_text(), folder)


def unmount_all(folder: Path) -> None:
    for options in ((), ("-l",)):
        if points := remaining(folder):
            run(("umount", *options, *points))
