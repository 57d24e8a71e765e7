"""Which pieces of evidence bear a sentence, for whoever shows them behind it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from kausa.diagnosis.model.answer.support import Corpus, Support
from kausa.diagnosis.model.prompt.screening import screen
from kausa.diagnosis.model.protocol import ModelRequest

__all__ = ["Bearing", "bearing_ids"]


class Bearing:
    """The evidence of one request; made in a thread where others want the loop."""

    def __init__(self, request: ModelRequest) -> None:
        self._order = tuple(each.id for each in request.evidence)
        self._corpus = Corpus(screen(request), evidence_ids=self._order)

    def of(self, sentence: str, *, wanted: Collection[str] = ()) -> tuple[str, ...]:
        """The ids that bear the sentence, in order; none where that is not known.

        `wanted`: ids that are cited anyway, and come before others that bear the same.
        """
        support = self._corpus.support(sentence, strict=False)
        if not support.holds:
            return ()
        found = bearing_ids(support, wanted=wanted, order=self._order)
        return tuple(each for each in self._order if each in found)


def bearing_ids(support: Support, *, wanted: Collection[str], order: Sequence[str]) -> set[str]:
    """What of the evidence a sentence rests on: what is wanted, or else the first that bears it."""
    ids = set(support.ids.intersection(wanted))
    for holders in support.holders:
        first = next((each for each in order if each in holders), None)
        ids |= holders.intersection({*wanted, *ids}) or ({first} if first else set())
    if not ids and support.ids:
        ids.add(next(each for each in order if each in support.ids))
    return ids
