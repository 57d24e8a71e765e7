"""Which waiting texts go through the model together. Pure.

A batch costs its texts times its widest text, so texts of like length belong together; and the
oldest must be in it, or a long text among many short ones would wait for ever. So a window from
the front of the queue is sorted by length, and of the neighbourhoods around the oldest the one is
taken that does the most work for what it costs. There is no timer: under load the window is long
and the batches are full, without load a single text goes at once.

Widths are rounded up to buckets, so that the runtime meets a few shapes only, all of them warmed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

__all__ = ["LANE_OVERHEAD_TOKENS", "OVERHEAD_TOKENS", "bucket_widths", "cut", "width_of"]

OVERHEAD_TOKENS = 24
"""What a run costs beside its tokens, told in tokens; it makes full batches worth some padding."""
LANE_OVERHEAD_TOKENS = 8
"""The same of a run on one CPU, which starts no other threads: less padding is worth it."""


def bucket_widths(max_tokens: int) -> tuple[int, ...]:
    """The widths to which batches are padded: steps of 4 to 32, 8 to 64, 16 to 128 and so on."""
    widths: list[int] = []
    width, step = 0, 4
    while width < max_tokens:
        width += step
        widths.append(min(width, max_tokens))
        if width >= step * 8:
            step *= 2
    return tuple(widths)


def width_of(length: int, widths: Sequence[int]) -> int:
    """The smallest bucket that holds this many tokens; the length itself beyond the last."""
    place = bisect_left(widths, length)
    return widths[place] if place < len(widths) else length


def cut(
    lengths: Sequence[int],
    *,
    budget: int,
    max_texts: int,
    widths: Sequence[int],
    overhead: int = OVERHEAD_TOKENS,
) -> tuple[int, ...]:
    """Choose a batch out of a window whose first entry is the oldest.

    `lengths` are tokens. The answer are indices, in order of age, the oldest always among them;
    texts times width stay within `budget`, unless the oldest alone is beyond it. `overhead` is what
    a run costs beside that.
    """
    order = sorted(range(len(lengths)), key=lambda index: (lengths[index], index))
    by_length = [lengths[index] for index in order]
    sums = [0, *accumulate(by_length)]
    oldest = order.index(0)
    best, best_worth = (oldest, oldest), -1.0
    for last in range(oldest, len(order)):
        width = width_of(by_length[last], widths)
        most = min(max_texts, budget // max(1, width))
        if last - oldest + 1 > most:
            break  # wider still, and fewer: no later one holds the oldest either
        first, worth = _extend_down(
            by_length, sums, at=(oldest, last), width=width, most=most, overhead=overhead
        )
        if worth > best_worth:
            best, best_worth = (first, last), worth
    return tuple(sorted(order[best[0] : best[1] + 1]))


def _extend_down(
    by_length: Sequence[int],
    sums: Sequence[int],
    *,
    at: tuple[int, int],
    width: int,
    most: int,
    overhead: int,
) -> tuple[int, float]:
    """Take shorter texts along for as long as the batch gets better by it, which only falls."""
    first, last = at
    worth = (sums[last + 1] - sums[first]) / ((last - first + 1) * width + overhead)
    while first > 0 and last - first + 2 <= most and by_length[first - 1] > worth * width:
        first -= 1
        worth = (sums[last + 1] - sums[first]) / ((last - first + 1) * width + overhead)
    return first, worth
