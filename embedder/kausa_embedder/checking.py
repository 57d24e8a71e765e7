"""Whether the files of a model are there, and are the ones that were pinned."""

from __future__ import annotations

import hashlib
from pathlib import Path

from kausa_embedder.errors import ChecksumError, ModelMissingError
from kausa_embedder.models import MODEL_PATH_VARIABLE, ModelSpec

__all__ = ["check_files", "sha256_of"]


def sha256_of(path: Path) -> str:
    """The file's hash; some 20 ms for 23 MB. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_files(spec: ModelSpec, folder: Path) -> None:
    """Raises ModelMissingError naming what is absent, ChecksumError naming what differs."""
    needed = [file.name for file in spec.files]
    if spec.backend == "onnx":
        needed += [name for name in (spec.model_file, "tokenizer.json") if name not in needed]
    absent = [name for name in needed if not (folder / name).is_file()]
    if absent or not folder.is_dir():
        raise ModelMissingError(
            f"the model {spec.name} is not in {folder} ({', '.join(absent) or 'no folder'} "
            f"missing): {_advice(spec)}, or set {MODEL_PATH_VARIABLE} to the folder that has it"
        )
    for file in spec.files:
        try:
            found = sha256_of(folder / file.name)
        except OSError as error:
            raise ModelMissingError(f"{folder / file.name} cannot be read: {error}") from error
        if found != file.sha256:
            raise ChecksumError(
                f"{folder / file.name} is not the file that {spec.name} was pinned to (sha256 "
                f"{found[:12]}, wanted {file.sha256[:12]}): {_advice(spec)}"
            )


def _advice(spec: ModelSpec) -> str:
    if not spec.repository:
        return "run `make embedded-models`, which repairs it"
    if not spec.files:
        return f"bring it there (`hf download {spec.repository} --local-dir FOLDER`)"
    return f"run `kausa-embedder fetch --model {spec.name}`, which repairs it"
