"""The models that the embedder knows, and where their files are found.

A spec says how to read a model's answer; the number of dimensions is not part of it, because
the model itself is asked (a spec that disagrees with the file would break the store quietly).
A folder of one's own, for a machine without a network, describes itself in `kausa-model.json`
with the same words.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from kausa_embedder.errors import ModelBrokenError, ModelMissingError

__all__ = [
    "DEFAULT_MODEL",
    "DESCRIPTION_FILE",
    "MODELS",
    "MODEL_PATH_VARIABLE",
    "PRESETS",
    "RERANKER_PATH_VARIABLE",
    "BackendName",
    "Kind",
    "ModelFile",
    "ModelSpec",
    "Pooling",
    "cache_folder",
    "describe",
    "find_folder",
    "find_spec",
    "given_folder",
]

MODEL_PATH_VARIABLE = "KAUSA_EMBEDDER_MODEL_PATH"
RERANKER_PATH_VARIABLE = "KAUSA_EMBEDDER_RERANKER_PATH"
DESCRIPTION_FILE = "kausa-model.json"

BackendName = Literal["fastembed", "onnx", "sentence-transformers"]
Kind = Literal["query", "passage"]
Pooling = Literal["mean", "cls"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """One file of a model."""

    name: str
    """In the model's folder."""
    sha256: str
    path: str = ""
    """In the repository that it is fetched from, where that differs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """One model: where it comes from, and how its answer becomes one vector per text."""

    name: str
    """Written beside the vectors, so that vectors of two models never meet."""
    folder: str
    """Its folder's name below the models folder."""
    backend: BackendName
    max_tokens: int
    """Longer texts are cut here. It must not exceed what the model was trained for."""
    pooling: Pooling
    licence: str
    query_prefix: str = ""
    """Put before a text that asks; some models were trained so."""
    passage_prefix: str = ""
    """Put before a text that is asked about."""
    files: tuple[ModelFile, ...] = ()
    """Pinned by their hashes; what is loaded is exactly this."""
    repository: str = ""
    """Where it is fetched from on the model hub; empty where nothing is ever fetched."""
    revision: str = ""
    """A commit of the repository: a name that moves would not be pinned."""
    model_file: str = "model.onnx"
    late: bool = True
    """Whether its token vectors are good for late interaction."""
    reranker: str = ""
    """The cross-encoder that goes with it; empty where late interaction reranks."""
    cross_encoder: bool = False
    """Whether it scores pairs of texts instead of embedding one."""

    def prefix(self, kind: Kind) -> str:
        """What goes before a text of this kind."""
        return self.query_prefix if kind == "query" else self.passage_prefix


_MINILM_TOKENIZER = ModelFile(
    name="tokenizer.json",
    sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)
_MINILM_PACKAGED = ModelSpec(
    name="all-MiniLM-L6-v2-int8",
    folder="all-MiniLM-L6-v2-int8",
    backend="onnx",
    max_tokens=256,
    pooling="mean",
    licence="Apache-2.0",
    files=(
        ModelFile(
            name="model.onnx",
            sha256="8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
        ),
        _MINILM_TOKENIZER,
    ),
)
# Made of the one above (hack/models/quantize.py): the same weights, multiplied in int8.
_MINILM = replace(
    _MINILM_PACKAGED,
    name="all-MiniLM-L6-v2-w8a8",
    folder="all-MiniLM-L6-v2-w8a8",
    files=(
        ModelFile(
            name="model.onnx",
            sha256="a128cbe94f0b585ef8b8a765e2af769b263563d597ab88557327793330f82363",
        ),
        _MINILM_TOKENIZER,
    ),
)
_BGE_SMALL = ModelSpec(
    name="BAAI/bge-small-en-v1.5",
    folder="bge-small-en-v1.5",
    backend="fastembed",
    max_tokens=512,
    pooling="cls",
    licence="MIT",
    query_prefix="Represent this sentence for searching relevant passages: ",
    repository="Qdrant/bge-small-en-v1.5-onnx-Q",
    revision="52398278842ec682c6f32300af41344b1c0b0bb2",
    model_file="model_optimized.onnx",
    files=(
        ModelFile(
            name="model_optimized.onnx",
            sha256="51f1bd0addd6e859e42c2c8021a5e5461385bb676a649f4b269aa445449f2431",
        ),
        ModelFile(
            name="tokenizer.json",
            sha256="d241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66",
        ),
        ModelFile(
            name="config.json",
            sha256="13582bcf2effc85b7bf3d3f5532e686bc1c9ce86bb009d10f0ec33cbe92299dd",
        ),
        ModelFile(
            name="tokenizer_config.json",
            sha256="0b29c7bfc889e53b36d9dd3e686dd4300f6525110eaa98c76a5dafceb2029f53",
        ),
        ModelFile(
            name="special_tokens_map.json",
            sha256="5d5b662e421ea9fac075174bb0688ee0d9431699900b90662acd44b2a350503a",
        ),
    ),
)
_MS_MARCO = ModelSpec(
    name="Xenova/ms-marco-MiniLM-L-6-v2",
    folder="ms-marco-MiniLM-L-6-v2",
    backend="onnx",
    max_tokens=512,
    pooling="cls",
    licence="Apache-2.0",
    repository="Xenova/ms-marco-MiniLM-L-6-v2",
    revision="a09144355adeed5f58c8ed011d209bf8ee5a1fec",
    files=(
        ModelFile(
            name="model.onnx",
            path="onnx/model_quantized.onnx",
            sha256="e9d8ebf845c413e981c175bfe49a3bfa9b3dcce2a3ba54875ee5df5a58639fbe",
        ),
        ModelFile(
            name="tokenizer.json",
            sha256="d241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66",
        ),
    ),
    late=False,
    cross_encoder=True,
)
_BGE_M3 = ModelSpec(
    name="BAAI/bge-m3",
    folder="bge-m3",
    backend="sentence-transformers",
    max_tokens=8192,
    pooling="cls",
    licence="MIT",
    repository="BAAI/bge-m3",
    reranker="BAAI/bge-reranker-v2-m3",
)
_BGE_RERANKER = ModelSpec(
    name="BAAI/bge-reranker-v2-m3",
    folder="bge-reranker-v2-m3",
    backend="sentence-transformers",
    max_tokens=8192,
    pooling="cls",
    licence="Apache-2.0",
    repository="BAAI/bge-reranker-v2-m3",
    late=False,
    cross_encoder=True,
)

MODELS: Mapping[str, ModelSpec] = {
    spec.name: spec
    for spec in (_MINILM, _MINILM_PACKAGED, _BGE_SMALL, _MS_MARCO, _BGE_M3, _BGE_RERANKER)
}
PRESETS: Mapping[str, ModelSpec] = {"offline": _MINILM, "cpu": _BGE_SMALL, "gpu": _BGE_M3}
DEFAULT_MODEL = _MINILM


def find_spec(name: str, *, folder: Path | None = None) -> ModelSpec:
    """The model of a preset's name, of a name, or of a folder that describes itself.

    A folder's own description goes before a preset. Raises ModelMissingError for a name that nobody
    knows or that is not what the folder holds, ModelBrokenError for a bad description.
    """
    if folder is not None and (folder / DESCRIPTION_FILE).is_file():
        spec = describe(folder)
        if name not in PRESETS and name != spec.name:
            raise ModelMissingError(f"{folder} holds the model {spec.name}, not {name}")
        return spec
    known = PRESETS.get(name) or MODELS.get(name)
    if known is None:
        names = ", ".join([*PRESETS, *MODELS])
        raise ModelMissingError(
            f"there is no model {name!r}; known are {names}. A model of your own is a folder with "
            f"model.onnx, tokenizer.json and {DESCRIPTION_FILE}"
        )
    return known


def describe(folder: Path) -> ModelSpec:
    """Read a folder's own description."""
    path = folder / DESCRIPTION_FILE
    try:
        given: dict[str, Any] = json.loads(path.read_text())
        given["files"] = tuple(ModelFile(**file) for file in given.get("files", ()))
        spec = ModelSpec(**{"folder": folder.name, "backend": "onnx", **given})
    except (OSError, ValueError, TypeError, AttributeError) as error:
        names = ", ".join(field.name for field in fields(ModelSpec))
        raise ModelBrokenError(f"{path} is not a model's description ({error}): {names}") from error
    if (
        spec.backend not in get_args(BackendName)
        or spec.pooling not in get_args(Pooling)
        or type(spec.max_tokens) is not int
        or spec.max_tokens < 8
    ):
        raise ModelBrokenError(
            f"{path}: backend is one of {', '.join(get_args(BackendName))}, pooling one of "
            f"{', '.join(get_args(Pooling))}, max_tokens a number of at least 8"
        )
    return spec


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder in which models lie, one folder each."""
    if cache := environment.get("KAUSA_CACHE"):
        return Path(cache) / "models"
    base = environment.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "kausa" / "models"


def given_folder(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The folder that the environment names, if it does."""
    return Path(explicit) if (explicit := environment.get(MODEL_PATH_VARIABLE)) else None


def find_folder(spec: ModelSpec, *, environment: Mapping[str, str] = os.environ) -> Path:
    """Where the model's files should be: the variable, else the cache that `make` fills."""
    return given_folder(environment) or cache_folder(environment) / spec.folder
