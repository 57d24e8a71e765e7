"""The models that the embedder knows, and where their files are found.

A spec says how to read a model's answer; the number of dimensions is not part of it, because
the model itself is asked (a spec that disagrees with the file would break the store quietly).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["DEFAULT_MODEL", "MODEL_PATH_VARIABLE", "REQUIRED_FILES", "ModelSpec", "find_folder"]

MODEL_PATH_VARIABLE = "KAUSA_EMBEDDER_MODEL_PATH"
REQUIRED_FILES = ("model.onnx", "tokenizer.json", "tokenizer_config.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """One embedding model: how its answer becomes one vector per text."""

    name: str
    """Written beside the vectors, so that vectors of two models never meet."""
    folder: str
    """Its folder's name below the models folder."""
    max_tokens: int
    """Longer texts are cut here. It must not exceed what the model was trained for."""
    pooling: Literal["mean", "cls"]
    licence: str


DEFAULT_MODEL = ModelSpec(
    name="all-MiniLM-L6-v2-int8",
    folder="all-MiniLM-L6-v2-int8",
    max_tokens=256,
    pooling="mean",
    licence="Apache-2.0",
)


def find_folder(spec: ModelSpec, *, environment: Mapping[str, str] = os.environ) -> Path:
    """Where the model's files should be: the variable, else the cache that `make` fills."""
    if explicit := environment.get(MODEL_PATH_VARIABLE):
        return Path(explicit)
    if cache := environment.get("KAUSA_CACHE"):
        return Path(cache) / "models" / spec.folder
    base = environment.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "kausa" / "models" / spec.folder
