"""A collection, page by page, bounded, with what cannot be decoded left out.

Whoever concludes something from what is *not* in it must ask `is_whole` first: of a long one only
the beginning was read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TypeVar

import msgspec

from kausa.cluster.reading_client import ReadingClient

__all__ = ["Listed", "is_whole", "list_all"]

T = TypeVar("T")
PAGE_SIZE = 100
"""A page is held as bytes and as objects at a time, and whole Pods are large."""
BYTES_AT_ONCE = 128 * 1024
"""Decoded in one go: a millisecond, as a page of whole Pods takes thirty and the streams wait."""


class Listed(tuple[T, ...]):
    """What was read of a collection; `more` where it goes on beyond that."""

    more: bool

    def __new__(cls, found: Iterable[T] = (), *, more: bool = False) -> Listed[T]:
        """What was found, in its order."""
        listed = super().__new__(cls, found)
        listed.more = more
        return listed


def is_whole(found: tuple[T, ...] | None) -> bool:
    """Whether it can be said of something that is not in it that it does not exist."""
    return found is not None and not (isinstance(found, Listed) and found.more)


async def list_all(
    client: ReadingClient,
    path: str,
    *,
    kind: type[T],
    most: int,
    field_selector: str = "",
    label_selector: str = "",
) -> Listed[T]:
    """The first `most` objects of a collection, and whether there are more."""
    decoder = msgspec.json.Decoder(kind)
    parameters = {"limit": str(min(PAGE_SIZE, most))}
    if field_selector:
        parameters["fieldSelector"] = field_selector
    if label_selector:
        parameters["labelSelector"] = label_selector
    found: list[T] = []
    decoded = 0
    while True:
        page = await client.list_page(path, parameters=parameters)
        for item in page.items:
            if len(found) >= most:
                return Listed(found, more=True)
            decoded += len(item)
            if decoded > BYTES_AT_ONCE:
                decoded = 0
                await asyncio.sleep(0)
            try:
                found.append(decoder.decode(item))
            except (msgspec.DecodeError, msgspec.ValidationError):
                continue
        if not page.metadata.continue_ or len(found) >= most:
            return Listed(found, more=bool(page.metadata.continue_))
        parameters["continue"] = page.metadata.continue_
