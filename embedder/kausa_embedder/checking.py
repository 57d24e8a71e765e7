"""Whether the files of a model are there, and are the ones that were pinned."""

from __future__ import annotations

import hashlib
from pathlib import Path

from kausa_embedder.errors import ChecksumError, ModelMissingError
from kausa_embedder.models import (
    DESCRIPTION_FILE,
    MODEL_PATH_VARIABLE,
    MODELS,
    RERANKER_PATH_VARIABLE,
    ModelSpec,
    cache_folder,
)

__all__ = ["check_files", "sha256_of"]


def sha256_of(path: Path) -> str:
    """The file's hash; some 20 ms for 23 MB. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_files(spec: ModelSpec, folder: Path, *, given: bool = False) -> None:
    """Raises ModelMissingError naming what is absent, ChecksumError naming what differs.

    `given`: a setting names the folder; otherwise it is the model's place in the cache.
    """
    needed = [file.name for file in spec.files]
    if spec.backend == "onnx":
        needed += [name for name in (spec.model_file, "tokenizer.json") if name not in needed]
    absent = [name for name in needed if not (folder / name).is_file()]
    if absent or not folder.is_dir():
        variable = RERANKER_PATH_VARIABLE if spec.cross_encoder else MODEL_PATH_VARIABLE
        else_ = f"correct {variable}" if given else f"set {variable} to the folder that has it"
        raise ModelMissingError(
            f"the model {spec.name} is not in {folder} ({', '.join(absent) or 'no folder'} "
            f"missing): {_advice(spec, folder, given=given)}, or {else_}"
        )
    for file in spec.files:
        try:
            found = sha256_of(folder / file.name)
        except OSError as error:
            raise ModelMissingError(f"{folder / file.name} cannot be read: {error}") from error
        if found != file.sha256:
            raise ChecksumError(
                f"{folder / file.name} is not the file that {spec.name} was pinned to (sha256 "
                f"{found[:12]}, wanted {file.sha256[:12]}): {_advice(spec, folder, given=given)}"
            )


def _advice(spec: ModelSpec, folder: Path, *, given: bool) -> str:
    """What brings the right files there. Our commands fill places of their own, and no others."""
    if spec.name not in MODELS:
        return f"bring the files there that its {DESCRIPTION_FILE} lists"
    if spec.repository and not spec.files:
        return f"bring it there (`hf download {spec.repository} --local-dir {folder}`)"
    place = cache_folder() / spec.folder
    if spec.repository:
        command = f"kausa-embedder fetch --model {spec.name}"
        elsewhere = given  # it fetches into whatever cache is set, never into a folder that is
    else:
        command = "make embedded-models"
        elsewhere = folder != place
    if elsewhere:
        return f"copy it from {place}, which `{command}` fills"
    return f"run `{command}`, which repairs it"
