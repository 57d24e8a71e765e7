"""Every way in which a request ends without an answer: its status, its words, its metric's label.

The statuses are those of text-embeddings-inference where it has one. A client that knows HTTP only
can act on them: 429 and 503 are worth another try, 413 and 422 are not.

What is said goes to the caller only; the log and the metrics have the label, which is no text of a
request.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from aiohttp import web
from pydantic import ValidationError

from kausa_embedder import errors
from kausa_embedder.service.wire import to_json

__all__ = ["Refusal", "RefusedError", "refusal_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """How a request is refused."""

    status: int
    type: str
    """One word for programs."""
    message: str
    retry_after_seconds: float | None = None

    @property
    def body(self) -> dict[str, object]:
        """The answer, as OpenAI's clients read it."""
        return {"error": {"type": self.type, "message": self.message, "code": self.status}}

    def response(self) -> web.Response:
        """The whole answer."""
        headers = {}
        if self.retry_after_seconds is not None:
            # The header has whole seconds: 0 would mean at once, to a server that is full.
            headers["Retry-After"] = str(max(1, math.ceil(self.retry_after_seconds)))
            # OpenAI's clients know this one, and so does ours.
            headers["Retry-After-Ms"] = str(math.ceil(self.retry_after_seconds * 1000))
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return web.Response(
            status=self.status,
            body=to_json(self.body),
            headers=headers,
            content_type="application/json",
        )


class RefusedError(Exception):
    """The service itself refuses, before the engine is asked."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.type)
        self.refusal = refusal


_ENGINE: tuple[tuple[type[errors.EmbedderError], int, str], ...] = (
    (errors.TooLargeError, 413, "too_large"),
    (errors.TooLongError, 422, "too_long"),
    (errors.InvalidInputError, 422, "invalid"),
    (errors.ExpiredError, 504, "expired"),
    (errors.InferenceError, 500, "inference_failed"),
    (errors.EmbedderError, 503, "unavailable"),
)


def refusal_of(error: Exception) -> Refusal | None:
    """What this error means to the caller; None for one that nobody foresaw."""
    match error:
        case RefusedError():
            return error.refusal
        case errors.OverloadedError():
            return Refusal(
                status=429,
                type="overloaded",
                message=str(error),
                retry_after_seconds=error.retry_after_seconds,
            )
        case errors.EmbedderError():
            return next(
                Refusal(
                    status=status,
                    type=word,
                    message=str(error),
                    retry_after_seconds=1.0 if status == 503 else None,
                )
                for kind, status, word in _ENGINE
                if isinstance(error, kind)
            )
        case ValidationError():
            return _malformed(error)
        case web.RequestPayloadError():
            # It was cut off, or is packed otherwise than it says, or not at all.
            return Refusal(
                status=400,
                type="invalid",
                message="The body is not what its Content-Encoding or Transfer-Encoding says.",
            )
        case web.HTTPRequestEntityTooLarge():
            return Refusal(status=413, type="too_large", message="The body is too large.")
        case web.HTTPException():
            return Refusal(status=error.status, type="invalid", message=error.reason)
    return None


def _malformed(error: ValidationError) -> Refusal:
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    if any(problem["type"] == "json_invalid" for problem in problems):
        return Refusal(status=400, type="invalid", message="The body is not JSON.")
    said = "; ".join(
        f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
        for problem in problems[:5]
    )
    return Refusal(status=422, type="invalid", message=said)
