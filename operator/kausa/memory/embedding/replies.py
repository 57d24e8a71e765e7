"""What a reply that is not an answer means: try again, or not, and in which words. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from kausa.memory.errors import InvalidRecordError, MemoryUnavailableError, UnavailableReason

__all__ = [
    "AttemptFailed",
    "TextsRefusedError",
    "judge",
    "judge_line",
    "parse_retry_after",
    "unreachable",
]

LONGEST_RETRY_AFTER_SECONDS = 30.0
SHOWN_CHARACTERS = 300
_FAULTS_OF_A_TEXT = frozenset({"invalid", "too_long", "too_large", "inference_failed"})
"""What our worker says of a text that it will never embed."""


class TextsRefusedError(MemoryUnavailableError):
    """The embedder refused these texts, and not because of how it does: asking again is no use.

    Where it was one text, and others went well, that one cannot be embedded.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message, reason="EmbedderFailed")


class AttemptFailed(Exception):
    """One attempt failed; never seen outside of this package."""

    def __init__(
        self,
        error: MemoryUnavailableError | InvalidRecordError,
        *,
        again: bool,
        alive: bool,
        pause_seconds: float = 0.0,
    ) -> None:
        super().__init__(str(error))
        self.error = error
        """What the caller hears if nothing better comes."""
        self.again = again
        """Whether the same request may go well a little later."""
        self.alive = alive
        """Whether somebody answered who is able to work."""
        self.pause_seconds = pause_seconds
        """How long the server wants to be left alone at least."""


def unreachable(error: BaseException, *, where: str) -> AttemptFailed:
    """The connection failed, before or after the request was sent."""
    why = str(error) or type(error).__name__
    return AttemptFailed(
        MemoryUnavailableError(
            f"the embedder at {where} cannot be reached ({why[:SHOWN_CHARACTERS]}): start it, "
            "or correct KAUSA_EMBEDDER_URL",
            reason="EmbedderUnavailable",
        ),
        again=True,
        alive=False,
    )


def judge(status: int, body: bytes, *, headers: Mapping[str, str], where: str) -> AttemptFailed:
    """What a status other than 200 means."""
    said = _said(body)
    told = f"the embedder at {where} answered {status}{f' ({said})' if said else ''}"
    pause = parse_retry_after(headers)
    if status == 429:
        return _failed(told, "EmbedderOverloaded", again=True, alive=True, pause=pause)
    if status in (502, 503):
        return _failed(told, "EmbedderUnavailable", again=True, alive=False, pause=pause)
    if status in (408, 504):
        return _failed(told, "DeadlineExceeded", again=False, alive=True)
    if status in (401, 403):
        told += ": set KAUSA_EMBEDDER_TOKEN to the token that it takes"
        return _failed(told, "EmbedderUnavailable", again=False, alive=True)
    if status in (413, 422) or (status == 500 and _type_of(body) in _FAULTS_OF_A_TEXT):
        return AttemptFailed(TextsRefusedError(told), again=False, alive=True)
    if status in (404, 405, 501):
        told += ": is it an embedder that answers at KAUSA_EMBEDDER_URL?"
    if 300 <= status < 400:
        told += ": a redirect is not followed; set KAUSA_EMBEDDER_URL to where it points"
    return _failed(told, "EmbedderFailed", again=False, alive=True)


def parse_retry_after(headers: Mapping[str, str]) -> float:
    """Seconds, bounded, from whichever of the two headers there is; 0 where there is none.

    A date, which HTTP allows, too, and no embedder sends, counts as none.
    """
    try:
        if "Retry-After-Ms" in headers:
            seconds = float(headers["Retry-After-Ms"]) / 1000
        else:
            seconds = float(headers.get("Retry-After", 0))
    except ValueError:
        return 0.0
    return min(LONGEST_RETRY_AFTER_SECONDS, max(0.0, seconds)) if math.isfinite(seconds) else 0.0


def _failed(
    told: str, reason: UnavailableReason, *, again: bool, alive: bool, pause: float = 0.0
) -> AttemptFailed:
    error = MemoryUnavailableError(told, reason=reason)
    return AttemptFailed(error, again=again, alive=alive, pause_seconds=pause)


def _said(body: bytes) -> str:
    """The message of an error, in the shapes that are common, or the begin of whatever it is."""
    try:
        answer = json.loads(body)
    except ValueError:
        return body[:SHOWN_CHARACTERS].decode("utf-8", "replace").strip()
    return _said_of(answer.get("error", answer) if isinstance(answer, dict) else answer)


def _type_of(body: bytes) -> object:
    """The word for programs that our worker's errors have."""
    try:
        error = json.loads(body)["error"]
        return error["type"] if isinstance(error["type"], str) else None
    except (ValueError, KeyError, TypeError):
        return None


def _said_of(error: object) -> str:
    message = error.get("message", "") if isinstance(error, dict) else error
    return str(message)[:SHOWN_CHARACTERS]


def judge_line(error: object, *, text: str | None) -> AttemptFailed:
    """What an error in the middle of a stream means: of the worker, or of the text of this name."""
    said = error if isinstance(error, dict) else {}
    told = f"the embedder could not embed the text {text} ({_said_of(said)})"
    if text is None:
        told = f"the embedder could not embed a text ({_said_of(said)})"
    elif said.get("type") in _FAULTS_OF_A_TEXT:
        return AttemptFailed(InvalidRecordError(told), again=False, alive=True)
    if said.get("type") in ("overloaded", "unavailable"):
        return _failed(told, "EmbedderUnavailable", again=True, alive=True)
    return _failed(told, "EmbedderFailed", again=False, alive=True)
