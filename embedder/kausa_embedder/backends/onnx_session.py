"""One onnxruntime session and its tokenizer, however they were loaded.

Memory patterns are off: onnxruntime would keep a plan for every shape that it meets. The arena is
on: what it holds is bounded by the largest batch, which is run before the engine says ready.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from kausa_embedder.backends.base import Encoded, Outputs
from kausa_embedder.backends.encoding import encode_pairs, encode_texts, pad_id_of, prepare
from kausa_embedder.errors import ModelBrokenError, RuntimeMissingError
from kausa_embedder.padding import Inputs
from kausa_embedder.providers import ProviderChoice, ProviderName, choose, onnx_name

__all__ = [
    "OnnxCrossEncoder",
    "OnnxModel",
    "available_providers",
    "load_tokenizer",
    "open_session",
]


def available_providers() -> set[ProviderName]:
    """What this build of onnxruntime can use; whether the device is there shows on opening.

    Everything asks here before it loads a model, so what onnxruntime reads when it is imported is
    set here: builds since 1.31 tell their maker of their use on Linux too, unless they are told not
    to.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnxruntime
    except ImportError as error:
        raise RuntimeMissingError(
            f"onnxruntime cannot be imported ({error}): install kausa[embedder]"
        ) from error
    built = onnxruntime.get_available_providers()
    return {name for name in ("cpu", "cuda") if onnx_name(name) in built}


def open_session(
    path: Path, *, wanted: ProviderChoice, fallback: bool, threads: int
) -> tuple[Any, ProviderName]:
    """Load an ONNX file, and tell which device it runs on.

    onnxruntime falls back to the CPU by itself where CUDA is built in but has no device, so the
    session is asked afterwards what it really uses. Raises ProviderMissingError, ModelBrokenError.
    """
    provider = choose(wanted, available=available_providers(), fallback=fallback)
    session = _open(path, provider=provider, threads=threads)
    return session, confirm(session, wanted=wanted, fallback=fallback)


def _open(path: Path, *, provider: ProviderName, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False
    names = [onnx_name(provider), *([onnx_name("cpu")] if provider == "cuda" else [])]
    try:
        return onnxruntime.InferenceSession(str(path), sess_options=options, providers=names)
    except Exception as error:
        raise ModelBrokenError(f"{path} cannot be loaded: {error}") from error


def confirm(session: Any, *, wanted: ProviderChoice, fallback: bool) -> ProviderName:
    """The device that a session really uses; an error if it is not the one asked for."""
    used: set[ProviderName] = {
        name for name in ("cpu", "cuda") if onnx_name(name) in session.get_providers()
    }
    return choose(wanted, available=used, fallback=fallback)


def load_tokenizer(path: Path, *, max_tokens: int) -> Any:
    """A tokenizer that cuts at `max_tokens` and pads nothing. Raises ModelBrokenError."""
    try:
        import tokenizers
    except ImportError as error:
        raise RuntimeMissingError(
            f"tokenizers cannot be imported ({error}): install kausa[embedder]"
        ) from error
    try:
        return prepare(tokenizers.Tokenizer.from_file(str(path)), max_tokens=max_tokens)
    except Exception as error:
        raise ModelBrokenError(f"{path} is not a tokenizer: {error}") from error


class _Onnx:
    """What embedding and scoring models have in common."""

    def __init__(
        self,
        *,
        session: Any,
        path: Path,
        tokenizer: Any,
        provider: ProviderName,
        max_tokens: int,
    ) -> None:
        """`path` is that of the ONNX file which the session has loaded."""
        self.provider = provider
        self.pad_id = pad_id_of(tokenizer)
        self._session = session
        self._path = path
        self._tokenizer = tokenizer
        self._max_tokens = max_tokens
        self._inputs = {given.name for given in session.get_inputs()}
        self._outputs = [given.name for given in session.get_outputs()]

    @property
    def weight_bytes(self) -> int:
        """The size of the file, and of those beside it that hold the rest of a large model."""
        files = self._path.parent.glob(f"{self._path.stem}.*")
        return sum(file.stat().st_size for file in files)

    def divided(self) -> Self:
        """The same model with a session of one thread, which is the one that calls `run`."""
        return type(self)(
            session=_open(self._path, provider="cpu", threads=1),
            path=self._path,
            tokenizer=self._tokenizer,
            provider="cpu",
            max_tokens=self._max_tokens,
        )

    def _answer(self, inputs: Inputs, output: str) -> Any:
        feed = {"input_ids": inputs.ids}
        if "attention_mask" in self._inputs:
            feed["attention_mask"] = inputs.mask
        if "token_type_ids" in self._inputs:
            feed["token_type_ids"] = (
                np.zeros_like(inputs.ids) if inputs.types is None else inputs.types
            )
        return self._session.run([output], feed)[0]


class OnnxModel(_Onnx):
    """An embedding model. An output `sentence_embedding` is used where only that is wanted."""

    def encode(self, texts: Sequence[str], *, words: bool = False) -> list[Encoded]:
        """Tokenise, from any thread."""
        return encode_texts(self._tokenizer, texts, max_tokens=self._max_tokens, words=words)

    def run(self, inputs: Inputs) -> Outputs:
        """Run one batch."""
        if "sentence_embedding" in self._outputs and not inputs.wants_tokens:
            return Outputs(sentences=self._answer(inputs, "sentence_embedding"))
        output = "last_hidden_state" if "last_hidden_state" in self._outputs else self._outputs[0]
        answer = self._answer(inputs, output)
        if answer.ndim == 2:  # a model that pools by itself, and gives nothing else
            return Outputs(sentences=np.asarray(answer, dtype=np.float32))
        return Outputs(tokens=np.asarray(answer, dtype=np.float32))


class OnnxCrossEncoder(_Onnx):
    """A model that reads a query and a document together and answers how well they fit."""

    def encode_pairs(self, query: str, documents: Sequence[str]) -> list[Encoded]:
        """Tokenise pairs; of two that are too long together the longer one is cut."""
        return encode_pairs(self._tokenizer, query, documents, max_tokens=self._max_tokens)

    def run(self, inputs: Inputs) -> Outputs:
        """Run one batch: the last logit of each pair."""
        logits = np.asarray(self._answer(inputs, self._outputs[0]), dtype=np.float32)
        return Outputs(scores=logits.reshape(len(inputs.ids), -1)[:, -1])
