"""Texts of all lengths, that no cache has seen, and what a measurement of many numbers comes to."""

from __future__ import annotations

import random
from collections.abc import Sequence

__all__ = ["Words", "percentile", "slope_per_minute"]

_WORDS = """
pod container memory limit killed image pull secret mount volume node probe timeout quota refused
connection permission denied not found exit code back-off restarting failed
""".split()  # noqa: SIM905 - a list of them takes a line each


class Words:
    """Writes texts; the same seed writes the same."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def text(self, words: int) -> str:
        """So many words, every third with a number, as logs have them."""
        chosen = self._chance.choices(_WORDS, k=words)
        return " ".join(
            f"{word}-{self._chance.randrange(10_000)}" if at % 3 == 0 else word
            for at, word in enumerate(chosen)
        )

    def any_text(self) -> str:
        """Of a random length: most are short, some are longer than the model reads."""
        return self.text(min(600, max(1, int(self._chance.lognormvariate(3.2, 1.0)))))

    def share(self) -> float:
        """A number from 0 to 1."""
        return self._chance.random()


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share lies; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def slope_per_minute(samples: Sequence[tuple[float, float]]) -> float:
    """The growth of a value by least squares, of (seconds, value)."""
    count = len(samples)
    if count < 2:
        return 0.0
    mean_x = sum(x for x, _ in samples) / count
    mean_y = sum(y for _, y in samples) / count
    spread = sum((x - mean_x) ** 2 for x, _ in samples)
    return 60 * sum((x - mean_x) * (y - mean_y) for x, y in samples) / spread if spread else 0.0
