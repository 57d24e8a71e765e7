"""What can go wrong while a cause is looked for.

    KausaError
    `- DiagnosisError
       `- ModelError                  the model gave no answer that can be used
          |- ModelUnavailable         nobody answers at the address, or the server fails
          |  `- ModelCircuitOpen      it has not for a while, so it is not asked (`breaker.py`)
          |- ModelMissing             the server doesn't have the model
          |- ModelDeadlineExceeded    no answer in time
          `- ModelInvalidAnswer       an answer came, and it isn't one

Each carries `reason`, the word that the `ModelConsulted` condition shows. People and alerts match
on it: it is part of the API and never changes.
"""

from __future__ import annotations

from typing import ClassVar

from kausa.errors import KausaError

__all__ = [
    "DiagnosisError",
    "ModelDeadlineExceeded",
    "ModelError",
    "ModelInvalidAnswer",
    "ModelMissing",
    "ModelUnavailable",
]


class DiagnosisError(KausaError):
    """A diagnosis could not be made."""


class ModelError(DiagnosisError):
    """The model gave no answer that can be used; the diagnosis goes on without it."""

    reason: ClassVar[str] = "Unavailable"


class ModelUnavailable(ModelError):
    """Nobody answers at the model's address, or its server failed."""

    reason = "Unavailable"


class ModelMissing(ModelError):
    """The server answers but doesn't have the model."""

    reason = "ModelMissing"


class ModelDeadlineExceeded(ModelError):
    """The model didn't answer in the time that it was given."""

    reason = "DeadlineExceeded"


class ModelInvalidAnswer(ModelError):
    """The model answered, but not with a diagnosis that rests on the evidence."""

    reason = "InvalidAnswer"

    def __init__(self, message: str, *, detail: str = "") -> None:
        """`detail` quotes what the model wrote: for its repair alone, as nobody checked it."""
        super().__init__(message)
        self.detail = detail
