"""A model that fastembed knows, or learns about through its custom-model hook.

fastembed knows how each of its models is to be read (which file, which tokenizer limits); batching,
padding and pooling are ours, so its session and its tokenizer are taken over. It is given the
folder by `specific_model_path`, which returns before any of its download code: a missing file
is an error and never a request to a hub.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from kausa_embedder.backends.onnx_session import OnnxModel, available_providers, confirm
from kausa_embedder.errors import ModelBrokenError, RuntimeMissingError
from kausa_embedder.models import ModelSpec
from kausa_embedder.providers import ProviderChoice, choose, onnx_name

__all__ = ["load_model"]


def load_model(
    *, spec: ModelSpec, folder: Path, provider: ProviderChoice, fallback: bool, threads: int
) -> OnnxModel:
    """Load an embedding model.

    Raises ModelBrokenError, RuntimeMissingError, ProviderMissingError.
    """
    chosen = choose(provider, available=available_providers(), fallback=fallback)
    # Asked for once more, in case a later fastembed looks for a file that this folder lacks.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        from fastembed import TextEmbedding
    except ImportError as error:
        raise RuntimeMissingError(
            f"the package fastembed cannot be imported ({error}): install kausa[embedder]"
        ) from error
    _register(spec)
    names = [onnx_name(chosen), *([onnx_name("cpu")] if chosen == "cuda" else [])]
    try:
        embedding: Any = TextEmbedding(
            spec.name,
            # fastembed makes its cache folder even when it has no use for it.
            cache_dir=str(folder),
            specific_model_path=str(folder),
            local_files_only=True,
            providers=names,
            threads=threads,
        )
        session, tokenizer = embedding.model.model, embedding.model.tokenizer
        path = folder / embedding.model.model_description.model_file
        limit = tokenizer.truncation["max_length"]
    except Exception as error:
        raise ModelBrokenError(f"fastembed cannot load the model in {folder}: {error}") from error
    tokenizer.no_padding()
    # fastembed believes the files; a spec that reads less goes first, one that reads more cannot.
    tokenizer.enable_truncation(min(limit, spec.max_tokens))
    return OnnxModel(
        session=session,
        path=path,
        tokenizer=tokenizer,
        provider=confirm(session, wanted=provider, fallback=fallback),
        max_tokens=min(limit, spec.max_tokens),
    )


def _register(spec: ModelSpec) -> None:
    """Tell fastembed about the model, once in this process (its registry belongs to a class)."""
    from fastembed import TextEmbedding
    from fastembed.common.model_description import ModelSource, PoolingType

    names = (known["model"].lower() for known in TextEmbedding.list_supported_models())
    if spec.name.lower() in names:
        return
    TextEmbedding.add_custom_model(
        model=spec.name,
        pooling=PoolingType.MEAN if spec.pooling == "mean" else PoolingType.CLS,
        normalization=True,
        sources=ModelSource(url="file:///unused"),
        dim=0,  # a claim that nothing reads: the model is asked
        model_file=spec.model_file,
        license=spec.licence,
    )
