"""Where the memory gets its vectors from.

One protocol and, for the embedded default, one implementation: the model in this process, on a
thread of its own. `kausa_embedder` is imported when the first text comes, so that an operator
with a remote embedder, or with none, neither needs nor loads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from kausa.memory.errors import MemoryUnavailableError, deadline

if TYPE_CHECKING:
    from kausa_embedder.inference import Inference

__all__ = ["Embedder", "InProcessEmbedder"]


class Embedder(Protocol):
    """Turns texts into unit vectors of one model."""

    @property
    def model(self) -> str:
        """The model's name, kept beside the vectors; vectors of two models never meet."""

    @property
    def dimensions(self) -> int:
        """The length of a vector; 0 until the first answer, because only the model knows it."""

    async def embed(self, texts: Sequence[str], *, deadline_seconds: float) -> list[list[float]]:
        """One finite vector of length 1 per text, in order."""

    async def close(self) -> None:
        """Let go of the model. Closing twice is closing once."""


class InProcessEmbedder:
    """The model of `kausa_embedder` in this process. Loads at the first text, not before."""

    def __init__(self, *, model_path: Path | None) -> None:
        self._model_path = model_path
        self._inference: Inference | None = None
        self._closed = False

    @property
    def model(self) -> str:
        """The model's name; empty until the first text."""
        return self._inference.spec.name if self._inference else ""

    @property
    def dimensions(self) -> int:
        """The length of a vector; 0 until the first text."""
        return self._inference.dimensions if self._inference else 0

    async def embed(self, texts: Sequence[str], *, deadline_seconds: float) -> list[list[float]]:
        """Embed, loading the model first if need be (about a second, once)."""
        if self._closed:
            raise MemoryUnavailableError("the embedder is closed", reason="Closed")
        if self._inference is None:
            self._inference = self._construct()
        from kausa_embedder import errors

        try:
            async with deadline(deadline_seconds, doing="embedding"):
                return await self._inference.embed(texts)
        except (errors.ModelMissingError, errors.RuntimeMissingError) as error:
            raise MemoryUnavailableError(str(error), reason="EmbedderMissing") from error
        except errors.EmbedderError as error:
            raise MemoryUnavailableError(str(error), reason="EmbedderFailed") from error

    async def close(self) -> None:
        """End the model's thread."""
        self._closed = True
        if self._inference is not None:
            await self._inference.close()

    def _construct(self) -> Inference:
        try:
            from kausa_embedder.inference import Inference
            from kausa_embedder.models import DEFAULT_MODEL, find_folder
        except ImportError as error:
            raise MemoryUnavailableError(
                f"the embedder is not installed ({error}): install kausa[embedded]",
                reason="EmbedderMissing",
            ) from error
        folder = self._model_path or find_folder(DEFAULT_MODEL)
        return Inference(spec=DEFAULT_MODEL, folder=folder)
