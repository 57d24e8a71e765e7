"""A plain folder with an ONNX file and a tokenizer, and nothing but onnxruntime to run it.

The way for a machine without a network, and the lightest one: fastembed costs about a second and
70 MiB to import.
"""

from __future__ import annotations

from pathlib import Path

from kausa_embedder.backends.onnx_session import (
    OnnxCrossEncoder,
    OnnxModel,
    load_tokenizer,
    open_session,
)
from kausa_embedder.models import ModelSpec
from kausa_embedder.providers import ProviderChoice

__all__ = ["load_cross_encoder", "load_model"]


def load_model(
    *, spec: ModelSpec, folder: Path, provider: ProviderChoice, fallback: bool, threads: int
) -> OnnxModel:
    """Load an embedding model.

    Raises ModelBrokenError, RuntimeMissingError, ProviderMissingError.
    """
    tokenizer = load_tokenizer(folder / "tokenizer.json", max_tokens=spec.max_tokens)
    path = folder / spec.model_file
    session, used = open_session(path, wanted=provider, fallback=fallback, threads=threads)
    return OnnxModel(
        session=session,
        path=path,
        tokenizer=tokenizer,
        provider=used,
        max_tokens=spec.max_tokens,
    )


def load_cross_encoder(
    *, spec: ModelSpec, folder: Path, provider: ProviderChoice, fallback: bool, threads: int
) -> OnnxCrossEncoder:
    """Load a cross-encoder; raises the same."""
    tokenizer = load_tokenizer(folder / "tokenizer.json", max_tokens=spec.max_tokens)
    path = folder / spec.model_file
    session, used = open_session(path, wanted=provider, fallback=fallback, threads=threads)
    return OnnxCrossEncoder(
        session=session,
        path=path,
        tokenizer=tokenizer,
        provider=used,
        max_tokens=spec.max_tokens,
    )
