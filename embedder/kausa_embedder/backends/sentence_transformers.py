"""Models without an ONNX file, and CUDA through torch: the package sentence-transformers.

Its own `encode` sorts, pads and batches by itself; here its modules are called on batches that are
cut already. On CUDA the model runs in half precision, and what it answers is widened.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from kausa_embedder.backends.base import Encoded, Outputs
from kausa_embedder.backends.encoding import encode_pairs, encode_texts, pad_id_of, prepare
from kausa_embedder.errors import ModelBrokenError, RuntimeMissingError
from kausa_embedder.models import ModelSpec
from kausa_embedder.padding import Inputs
from kausa_embedder.providers import ProviderChoice, ProviderName, choose

__all__ = ["load_cross_encoder", "load_model"]


def load_model(
    *, spec: ModelSpec, folder: Path, provider: ProviderChoice, fallback: bool, threads: int
) -> TorchModel:
    """Load an embedding model.

    Raises ModelBrokenError, RuntimeMissingError, ProviderMissingError.
    """
    package, torch, device = _import(provider, fallback=fallback, threads=threads)
    try:
        model = package.SentenceTransformer(str(folder), device=device, local_files_only=True)
        if device == "cuda":
            model = model.half()
        tokenizer = model.tokenizer.backend_tokenizer
    except Exception as error:
        raise ModelBrokenError(f"the model in {folder} cannot be loaded: {error!r}") from error
    return TorchModel(
        model=model.eval(), tokenizer=tokenizer, torch=torch, provider=device, spec=spec
    )


def load_cross_encoder(
    *, spec: ModelSpec, folder: Path, provider: ProviderChoice, fallback: bool, threads: int
) -> TorchCrossEncoder:
    """Load a cross-encoder; raises the same."""
    package, torch, device = _import(provider, fallback=fallback, threads=threads)
    try:
        encoder = package.CrossEncoder(str(folder), device=device, local_files_only=True)
        model = encoder.model.half() if device == "cuda" else encoder.model
        tokenizer = encoder.tokenizer.backend_tokenizer
    except Exception as error:
        raise ModelBrokenError(f"the model in {folder} cannot be loaded: {error!r}") from error
    return TorchCrossEncoder(
        model=model.eval(), tokenizer=tokenizer, torch=torch, provider=device, spec=spec
    )


class _Torch:
    """What embedding and scoring models have in common."""

    def __init__(
        self, *, model: Any, tokenizer: Any, torch: Any, provider: ProviderName, spec: ModelSpec
    ) -> None:
        self.provider = provider
        self._model = model
        self._torch = torch
        self._max_tokens = spec.max_tokens
        self._tokenizer = prepare(tokenizer, max_tokens=spec.max_tokens)
        self.pad_id = pad_id_of(tokenizer)

    def _features(self, inputs: Inputs) -> dict[str, Any]:
        features = {"input_ids": inputs.ids, "attention_mask": inputs.mask}
        if inputs.types is not None and inputs.types.any():
            features["token_type_ids"] = inputs.types
        return {
            name: self._torch.from_numpy(values).to(self.provider)
            for name, values in features.items()
        }


class TorchModel(_Torch):
    """An embedding model; whatever modules it has, their last word is the text's vector."""

    def encode(self, texts: Sequence[str], *, words: bool = False) -> list[Encoded]:
        """Tokenise, from any thread."""
        return encode_texts(self._tokenizer, texts, max_tokens=self._max_tokens, words=words)

    def run(self, inputs: Inputs) -> Outputs:
        """Run one batch."""
        with self._torch.inference_mode():
            answer = self._model(self._features(inputs))
            return Outputs(
                sentences=_array(answer["sentence_embedding"]),
                tokens=_array(answer["token_embeddings"]) if inputs.wants_tokens else None,
            )


class TorchCrossEncoder(_Torch):
    """A model that reads a query and a document together and answers how well they fit."""

    def encode_pairs(self, query: str, documents: Sequence[str]) -> list[Encoded]:
        """Tokenise pairs; of two that are too long together the longer one is cut."""
        return encode_pairs(self._tokenizer, query, documents, max_tokens=self._max_tokens)

    def run(self, inputs: Inputs) -> Outputs:
        """Run one batch: the last logit of each pair."""
        with self._torch.inference_mode():
            logits = _array(self._model(**self._features(inputs)).logits)
        return Outputs(scores=logits.reshape(len(inputs.ids), -1)[:, -1])


def _array(tensor: Any) -> Any:
    return np.asarray(tensor.float().cpu().numpy(), dtype=np.float32)


def _import(
    provider: ProviderChoice, *, fallback: bool, threads: int
) -> tuple[Any, Any, ProviderName]:
    try:
        sentence_transformers = import_module("sentence_transformers")
        torch = import_module("torch")
    except ImportError as error:
        raise RuntimeMissingError(
            f"sentence-transformers cannot be imported ({error}): "
            "install kausa[sentence-transformers]"
        ) from error
    available: set[ProviderName] = {"cpu", "cuda"} if torch.cuda.is_available() else {"cpu"}
    device = choose(provider, available=available, fallback=fallback)
    torch.set_num_threads(threads)
    return sentence_transformers, torch, device
