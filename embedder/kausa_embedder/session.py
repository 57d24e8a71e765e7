"""One loaded model: texts in, vectors out. Synchronous; `inference.py` gives it a thread.

fastembed loads the folder through its custom-model hook with `specific_model_path`, which
returns before any of its download code, so that a missing file is an error and never a request
to a hub. It is imported here, when a model is loaded, because the import alone costs about a
second and 70 MiB, which a process that never embeds should not pay.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kausa_embedder.errors import (
    InferenceError,
    ModelBrokenError,
    ModelMissingError,
    RuntimeMissingError,
)
from kausa_embedder.models import MODEL_PATH_VARIABLE, REQUIRED_FILES, ModelSpec

__all__ = ["BATCH_SIZE", "MAX_CHARACTERS", "MAX_TEXTS", "Session", "available_cpus", "load"]

BATCH_SIZE = 1
"""Texts per run of the model. Measured on two cores, texts of 256 tokens: one at a time 37 ms each
and 324 MiB at most, eight at a time 64 ms each and 641 MiB: nothing is padded, caches stay warm."""
MAX_TEXTS = 256
"""Texts per call: more is a caller's loop, not a batch."""
MAX_CHARACTERS = 16_384
"""A text is cut here before the tokenizer sees it: 256 tokens are rarely 2 000 characters."""
MAX_THREADS = 4
"""A single short text gains nothing beyond this, and the operator has other work to do."""

_NORM_TOLERANCE = 1e-3


def available_cpus(*, cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """CPUs this process may use: its affinity and its cgroup's quota, at least one."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    count = allowed or 1
    try:
        quota, period = (cgroup / "cpu.max").read_text().split()
        count = min(count, max(1, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError, ZeroDivisionError):
        pass  # no cgroup v2 here, or its quota is the word "max"
    return count


class Session:
    """A loaded model. Not thread-safe: one thread owns it."""

    def __init__(self, *, spec: ModelSpec, model: Any) -> None:
        self.spec = spec
        self._model = model
        self.dimensions = len(self._run(["probe"])[0])

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Turn each text into one unit vector, in order.

        An empty text is a text like any other (its vector says "nothing", and is finite and of
        unit length); no text is no vector.
        """
        if not texts:
            return []
        if len(texts) > MAX_TEXTS:
            raise InferenceError(f"{len(texts)} texts in one call, at most {MAX_TEXTS} are taken")
        vectors = self._run([text[:MAX_CHARACTERS] for text in texts])
        for vector in vectors:
            self._check(vector)
        return vectors

    def _run(self, texts: list[str]) -> list[list[float]]:
        try:
            answers = self._model.embed(texts, batch_size=BATCH_SIZE)
            return [[float(value) for value in answer] for answer in answers]
        except Exception as error:
            raise InferenceError(f"the model {self.spec.name} failed: {error}") from error

    def _check(self, vector: list[float]) -> None:
        norm = math.sqrt(math.fsum(value * value for value in vector))
        # A NaN fails every comparison, so this one line also catches what is not finite.
        if len(vector) != self.dimensions or not abs(norm - 1.0) <= _NORM_TOLERANCE:
            raise InferenceError(
                f"the model {self.spec.name} answered a vector of {len(vector)} dimensions and "
                f"length {norm:.4f}, expected {self.dimensions} and 1"
            )


def load(*, spec: ModelSpec, folder: Path, threads: int | None = None) -> Session:
    """Load the model in this folder, or say exactly what is missing."""
    _require_files(spec=spec, folder=folder)
    # Asked for once more, in case a later fastembed looks for a file that this folder lacks.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        from fastembed import TextEmbedding
    except ImportError as error:
        raise RuntimeMissingError(
            f"the package fastembed cannot be imported ({error}): install kausa[embedder]"
        ) from error
    _register(spec)
    try:
        model = TextEmbedding(
            spec.name,
            # fastembed makes its cache folder even when it has no use for it.
            cache_dir=str(folder),
            specific_model_path=str(folder),
            local_files_only=True,
            providers=["CPUExecutionProvider"],
            threads=threads or min(available_cpus(), MAX_THREADS),
            enable_cpu_mem_arena=False,
        )
        return Session(spec=spec, model=model)
    except Exception as error:
        raise ModelBrokenError(
            f"the model in {folder} cannot be loaded ({error}): "
            "run `make embedded-models`, which checks and repairs it"
        ) from error


def _require_files(*, spec: ModelSpec, folder: Path) -> None:
    absent = [name for name in REQUIRED_FILES if not (folder / name).is_file()]
    if absent:
        raise ModelMissingError(
            f"the model {spec.name} is not in {folder} ({', '.join(absent)} missing): "
            f"run `make embedded-models`, or set {MODEL_PATH_VARIABLE} to the folder that has it"
        )
    try:
        configured = json.loads((folder / "tokenizer_config.json").read_text())["model_max_length"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelBrokenError(
            f"{folder}/tokenizer_config.json is not readable: {error!r}"
        ) from error
    if configured != spec.max_tokens:
        raise ModelBrokenError(
            f"{folder}/tokenizer_config.json cuts at {configured} tokens, "
            f"{spec.name} is used with {spec.max_tokens}: run `make embedded-models`"
        )


def _register(spec: ModelSpec) -> None:
    """Tell fastembed about the model, once in this process (its registry belongs to a class)."""
    from fastembed import TextEmbedding
    from fastembed.common.model_description import ModelSource, PoolingType

    if any(known["model"] == spec.name for known in TextEmbedding.list_supported_models()):
        return
    TextEmbedding.add_custom_model(
        model=spec.name,
        pooling=PoolingType.MEAN if spec.pooling == "mean" else PoolingType.CLS,
        normalization=True,
        sources=ModelSource(url="file:///unused"),
        dim=0,  # a claim that nothing reads: Session asks the model
        model_file="model.onnx",
        license=spec.licence,
    )
