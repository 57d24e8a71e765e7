"""What the memory asks of an embedder: vectors, and how well documents answer a query.

Three kinds keep it: the model in this process (`in_process.py`), our own worker (`http.py`) and
any endpoint that speaks OpenAI's shape (`openai.py`). Who asks cannot tell them apart: the same
body of tests runs against each. All of them raise `MemoryUnavailableError` and nothing else, with
one of these reasons:

    EmbedderMissing      a package or the model's files are not there, or it has no reranker
    EmbedderFailed       it answered, and what it said cannot be used
    EmbedderUnavailable  it cannot be reached, is not ready, or does not take our token
    EmbedderOverloaded   it has more to do than it takes; later is better
    DeadlineExceeded     the caller's time is over
    ModelMismatch        it answers with another model than before
    DimensionMismatch    ... or with vectors of another length
    Closed               `close` was called
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from typing import Literal, Protocol

__all__ = ["LATE_INTERACTION", "MOST_CHARACTERS", "Embedder", "Kind", "Priority"]

Kind = Literal["query", "passage"]
"""What a text is: some models prefix a question otherwise than what may answer it."""
Priority = Literal["interactive", "bulk"]
"""`interactive` goes before `bulk`, which waits for its turn where the other would give up."""

LATE_INTERACTION = "late-interaction"
"""What our engine calls the reranker that works by the token vectors that it keeps."""
MOST_CHARACTERS = 65_536
"""A text is cut here before it is sent: the longest model reads 8,192 tokens, which is less."""


class Embedder(Protocol):
    """Turns texts into unit vectors of one model."""

    @property
    def model(self) -> str:
        """The model's name, kept beside the vectors; "" until the first answer.

        Vectors of two models never meet.
        """

    @property
    def dimensions(self) -> int:
        """The length of a vector; 0 until the first answer, because only the model knows it."""

    @property
    def reranker(self) -> str:
        """What `rerank` scores with; "" where it cannot, or before the first answer."""

    @property
    def remembers(self) -> bool:
        """Whether a document that `rerank` has read costs nothing to read again. False before the
        first answer."""

    async def embed(
        self,
        texts: Sequence[str],
        *,
        kind: Kind = "passage",
        priority: Priority = "interactive",
        deadline_seconds: float,
    ) -> list[list[float]]:
        """One finite vector of length 1 per text, in order; longer texts than it reads are cut."""

    def embed_stream(
        self, texts: AsyncIterable[tuple[str, str]], *, deadline_seconds: float
    ) -> AsyncIterator[tuple[str, list[float]]]:
        """Passages with an id each; their vectors under the same ids, in order of completion.

        For bulk: it goes after all that is interactive. It takes texts only as fast as vectors are
        taken from it, so that whoever reads slowly is not flooded. An embedder that dies in the
        middle is waited for, and asked again what it had not answered. The ids are the caller's
        own; one that comes twice is answered twice.

        `deadline_seconds` is how long texts may wait without any answer; a stream that goes on may
        last for ever. Close it (`contextlib.aclosing`) if you leave it early.
        """

    async def rerank(
        self,
        query: str,
        documents: Sequence[str],
        *,
        priority: Priority = "interactive",
        deadline_seconds: float,
        most_new_tokens: int | None = None,
    ) -> list[float | None]:
        """How well each document answers the query, from 0 to 1, comparable within one call.

        With `most_new_tokens`, an embedder that `remembers` reads of the documents that it does not
        know only the first that have about so many tokens together, and one at least. The others
        get None. Any other embedder reads all, whatever is said here: what it left out it would not
        know the next time either.
        """

    async def close(self) -> None:
        """Let go of the model or the connections. Closing twice is closing once."""
