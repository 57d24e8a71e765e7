"""Tokenising with the package `tokenizers`, which is what all backends do it with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kausa_embedder.backends.base import Encoded

__all__ = ["CHARACTERS_PER_TOKEN", "encode_pairs", "encode_texts", "pad_id_of", "prepare"]

CHARACTERS_PER_TOKEN = 64
"""A text is cut at so many times the model's tokens before the tokenizer sees it. Words of more
than 100 letters are one token to a WordPiece model, but no text is made of them."""


def prepare(tokenizer: Any, *, max_tokens: int) -> Any:
    """A tokenizer that cuts at `max_tokens` and pads nothing."""
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens, strategy="longest_first")
    return tokenizer


def pad_id_of(tokenizer: Any) -> int:
    """The token that stands for padding; 0 where there is none, the mask hides it anyway."""
    for word in ("[PAD]", "<pad>"):
        if (found := tokenizer.token_to_id(word)) is not None:
            return int(found)
    return 0


def encode_texts(
    tokenizer: Any, texts: Sequence[str], *, max_tokens: int, words: bool
) -> list[Encoded]:
    """Tokenise; releases the interpreter's lock while it works."""
    limit = max_tokens * CHARACTERS_PER_TOKEN
    encode = tokenizer.encode_batch if words else tokenizer.encode_batch_fast
    return [
        Encoded(
            ids=np.array(encoding.ids, dtype=np.int64),
            truncated=len(text) > limit or bool(encoding.overflowing),
            words=_words(encoding, text) if words else (),
        )
        for text, encoding in zip(texts, encode([text[:limit] for text in texts]), strict=True)
    ]


def encode_pairs(
    tokenizer: Any, query: str, documents: Sequence[str], *, max_tokens: int
) -> list[Encoded]:
    """Tokenise the query with each document; the longer of both is cut."""
    limit = max_tokens * CHARACTERS_PER_TOKEN
    pairs = [(query[:limit], document[:limit]) for document in documents]
    return [
        Encoded(
            ids=np.array(encoding.ids, dtype=np.int64),
            types=np.array(encoding.type_ids, dtype=np.int64),
            truncated=len(document) > limit or bool(encoding.overflowing),
        )
        for document, encoding in zip(documents, tokenizer.encode_batch_fast(pairs), strict=True)
    ]


def _words(encoding: Any, text: str) -> tuple[str, ...]:
    """For each token the word that it is a part of; a model's own marks have none."""
    spans: dict[int, tuple[int, int]] = {}
    for word, (start, end) in zip(encoding.word_ids, encoding.offsets, strict=True):
        if word is not None:
            first, _ = spans.get(word, (start, end))
            spans[word] = (first, end)
    return tuple(
        "" if word is None else text[slice(*spans[word])].strip().lower()
        for word in encoding.word_ids
    )
