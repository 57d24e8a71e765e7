"""The packages of an image, downloaded before its build, which then needs no network.

pip takes them from wherever this machine's pip does, so a mirror or a proxy works as usual and the
build has to be told nothing of it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hack.images.place import PYTHON

from localcluster.console import say
from localcluster.errors import CannotRun, ClusterError

TIMEOUT_S = 1800.0


def check_python(running: tuple[int, int] = (sys.version_info[0], sys.version_info[1])) -> None:
    """Packages are chosen by the Python that asks for them, so it has to be the images' one."""
    if running != PYTHON:
        wanted, other = (".".join(map(str, each)) for each in (PYTHON, running))
        raise CannotRun(
            f"The images run Python {wanted}, and this is {other}, so their packages cannot be"
            f" downloaded beforehand. Use Python {wanted}, or docker, which fetches them by itself."
        )


def fetch(requirements: Sequence[Path], folder: Path) -> Path:
    """The folder with all that these files pin, checked against their hashes."""
    if folder.is_dir():
        return folder
    check_python()
    say(f"Downloading the packages of {', '.join(file.name for file in requirements)}.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="downloading-") as scratch:
        into = Path(scratch, "wheels")
        into.mkdir()
        for file in requirements:
            _download(file, into)
        into.rename(folder)
    return folder


def _download(requirements: Path, into: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--dest", str(into)]
    command += ["--requirement", str(requirements)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise ClusterError(f"pip was not done after {TIMEOUT_S:.0f} s.") from None
    if done.returncode:
        said = "\n".join(done.stderr.strip().splitlines()[-10:])
        raise ClusterError(f"The packages of {requirements.name} could not be downloaded:\n{said}")
