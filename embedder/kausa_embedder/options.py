"""What an engine can be told, and what it tells of itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kausa_embedder.models import BackendName
from kausa_embedder.padding import Batch
from kausa_embedder.providers import ProviderChoice

__all__ = ["EngineInfo", "EngineOptions", "NullObserver", "Observer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """How an engine loads its model and what it takes. The defaults are the embedded default's."""

    model: str = "offline"
    """A preset (offline, cpu, gpu), or the name of a model."""
    folder: Path | None = None
    """Where the model lies; None looks into the cache."""
    cache: Path | None = None
    """Where fetched models lie, one folder each; None for the usual place."""
    reranker: str | None = None
    """A cross-encoder's name; None for the one that goes with the model, "" for none."""
    reranker_folder: Path | None = None
    backend: BackendName | None = None
    """None for the one that goes with the model."""
    provider: ProviderChoice = "auto"
    provider_fallback: bool = False
    """Whether the CPU will do where CUDA was asked for and is not there."""
    download: bool = False
    """Whether a model that is not there is fetched."""
    threads: int | None = None
    """Of the model; None for the CPUs of this process's cgroup."""
    batch_tokens: int | None = None
    """Texts times width of one run; None for what suits the device."""
    batch_texts: int = 64
    queue_tokens: int = 65_536
    """Tokens that may wait. Divided by the tokens per second it is the longest wait."""
    max_texts: int = 256
    """Of one call."""
    cache_bytes: int = 16 * 1024 * 1024
    """For vectors of whole texts: about 9 000 of 384 dimensions."""
    token_cache_bytes: int = 64 * 1024 * 1024
    """For vectors of documents' tokens: about 1 600 texts of 51 tokens and 384 dimensions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """What runs, for `/info` and for whoever keeps the vectors."""

    model: str
    backend: str
    dimensions: int
    max_tokens: int
    provider: str
    reranker: str
    licence: str
    threads: int
    batch_tokens: int
    batch_texts: int
    queue_tokens: int
    max_texts: int
    lanes: int = 1
    """Batches that run beside each other, on a CPU each, where there are so many."""


class Observer(Protocol):
    """Is told what the engine does, on the event loop; must return at once."""

    def tokenized(self, *, seconds: float, texts: int) -> None:
        """A round of the tokenizer."""

    def queued(self, *, seconds: float) -> None:
        """How long one text stood in the queue."""

    def ran(self, *, seconds: float, batch: Batch) -> None:
        """A run of the model."""

    def refused(self, *, reason: str) -> None:
        """A request ended without an answer: overloaded, expired, invalid, cancelled, closed."""


class NullObserver:
    """For who measures nothing."""

    def tokenized(self, *, seconds: float, texts: int) -> None:
        """Nothing."""

    def queued(self, *, seconds: float) -> None:
        """Nothing."""

    def ran(self, *, seconds: float, batch: Batch) -> None:
        """Nothing."""

    def refused(self, *, reason: str) -> None:
        """Nothing."""
