"""How many tokens a text is, before a model has counted them.

The model's own tokenizer is only at the server. Another real tokenizer is near (the one of the
embedding model, where its folder is there), and every reply tells how many tokens its prompt was:
the ratio of the two corrects the next count. Without a tokenizer the count is an estimate from
characters (`kausa.diagnosis.model.prompt.estimating`), corrected the same way.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from kausa.diagnosis.model.prompt.estimating import estimated

__all__ = ["TokenCounter", "load_counter"]

FIRST_MARGIN: Final = 1.15
"""Tokenizers differ; until the model has counted once, a prompt is taken to be this much longer."""
_LEAST, _MOST = 0.5, 3.0
_TOO_FEW: Final = 0.5
"""A server that kept the beginning of the prompt reports the rest only; that says nothing."""
_WEIGHT: Final = 0.3


class TokenCounter:
    """Counts for one model; `learn` from each of its replies makes it exact."""

    def __init__(self, tokenizer: Any = None) -> None:
        """`tokenizer`: a `tokenizers.Tokenizer` that neither truncates nor pads, or None."""
        self._tokenizer = tokenizer
        self._ratio = FIRST_MARGIN
        self._learned = False

    @property
    def is_estimate(self) -> bool:
        """Whether characters are counted, because there is no tokenizer."""
        return self._tokenizer is None

    @property
    def ratio(self) -> float:
        """How many of the model's tokens one of ours is."""
        return self._ratio

    def count(self, text: str) -> int:
        """Return how many of the model's tokens the text is, rounded up."""
        return -int(-self._raw(text) * self._ratio // 1) if text else 0

    def learn(self, *, text: str, reported: int) -> None:
        """Take into account that the model counted `reported` tokens for `text`."""
        raw = self._raw(text)
        if raw <= 0 or reported < raw * self._ratio * _TOO_FEW:
            return
        seen = min(max(reported / raw, _LEAST), _MOST)
        weight = _WEIGHT if self._learned else 1.0
        self._ratio += (seen - self._ratio) * weight
        self._learned = True

    def _raw(self, text: str) -> float:
        least = max(estimated(text), 1.0)
        if self._tokenizer is None:
            return least
        counted = float(len(self._tokenizer.encode(text, add_special_tokens=False).ids))
        # Another model's tokenizer may take a word of a thousand letters for one that it lacks.
        return max(counted, least / FIRST_MARGIN)


def load_counter(folder: Path | None) -> TokenCounter:
    """Return a counter with the tokenizer of a model's folder; an estimating one without it."""
    path = folder / "tokenizer.json" if folder is not None else None
    if path is None or not path.is_file():
        return TokenCounter()
    try:
        from tokenizers import Tokenizer
    except ImportError:
        return TokenCounter()
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception:
        # The library raises a bare Exception for a file that it can't read. An estimate is said to
        # be one (`is_estimate`).
        return TokenCounter()
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return TokenCounter(tokenizer)
