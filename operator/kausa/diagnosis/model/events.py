"""Server-sent events as the endpoints of OpenAI's shape write them, and what errors say in them."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncGenerator
from typing import Any, Final

import httpx

from kausa.evidence.redaction import Redactor

__all__ = ["parts", "shown_words"]

_ERROR: Final = "error"
_MOST_READ: Final = 2_000
_MOST_SHOWN: Final = 300


async def parts(response: httpx.Response) -> AsyncGenerator[dict[str, Any], None]:
    """The objects of a stream of events, or the one of a server that doesn't stream.

    An error has the field `error`, however the server writes it: as the data of an event, as an
    event of that name, or as a line `error:` as llama.cpp does.

    Raises:
        ValueError: what came is no JSON, or no stream of events at all.
    """
    if response.headers.get("content-type", "").startswith("application/json"):
        await response.aread()
        yield response.json()
        return
    spoke, garbage, event = False, False, ""
    async for line in response.aiter_lines():
        field, _, value = line.partition(":")
        if field == "data":
            spoke = True
            if value.strip() == "[DONE]":
                return
            part = json.loads(value)
            yield {_ERROR: part} if event == _ERROR and not _says_error(part) else part
        elif field == _ERROR:
            spoke = True
            yield {_ERROR: _decoded(value)}
        elif not field:
            # The end of an event, or a comment that keeps the connection open.
            event = ""
        elif field == "event":
            event = value.strip()
        garbage = garbage or bool(field)
    if garbage and not spoke:
        raise ValueError("no stream of events: the page of something else")


def shown_words(error: object, *, secret: str = "") -> str:
    """What a server says of its error, as a log may show it: one line, redacted, bounded.

    It is anybody's text, so it stands in no status. `secret` is our key, which some repeat.
    """
    said = error.get("message") or error.get("type") if isinstance(error, dict) else error
    text = str(said or "")
    # Before it is cut: half a secret is still one.
    text = text.replace(secret, "***") if secret else text
    redacted = Redactor(key=secrets.token_bytes(32)).text(text[:_MOST_READ]).value
    return " ".join(redacted.split())[:_MOST_SHOWN]


def _says_error(part: Any) -> bool:
    return isinstance(part, dict) and bool(part.get(_ERROR))


def _decoded(value: str) -> object:
    try:
        return json.loads(value) or value
    except ValueError:
        return value or "unknown"
