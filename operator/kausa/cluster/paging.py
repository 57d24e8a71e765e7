"""A whole collection, page by page, bounded, with what cannot be decoded left out."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from kausa.cluster.reading_client import ReadingClient

__all__ = ["list_all"]

T = TypeVar("T")
PAGE_SIZE = 500


async def list_all(
    client: ReadingClient,
    path: str,
    *,
    kind: type[T],
    most: int,
    field_selector: str = "",
    label_selector: str = "",
) -> tuple[T, ...]:
    """The first `most` objects of a collection."""
    decoder = msgspec.json.Decoder(kind)
    parameters = {"limit": str(min(PAGE_SIZE, most))}
    if field_selector:
        parameters["fieldSelector"] = field_selector
    if label_selector:
        parameters["labelSelector"] = label_selector
    found: list[T] = []
    while True:
        page = await client.list_page(path, parameters=parameters)
        for item in page.items[: most - len(found)]:
            try:
                found.append(decoder.decode(item))
            except (msgspec.DecodeError, msgspec.ValidationError):
                continue
        if not page.metadata.continue_ or len(found) >= most:
            return tuple(found)
        parameters["continue"] = page.metadata.continue_
