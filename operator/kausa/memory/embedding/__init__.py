"""Where the memory gets its vectors from: one protocol, and a way for each kind of embedder."""

from kausa.memory.embedding.in_process import InProcessEmbedder
from kausa.memory.embedding.protocol import Embedder

__all__ = ["Embedder", "InProcessEmbedder"]
