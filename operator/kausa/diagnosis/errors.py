"""What can go wrong while a cause is looked for.

    KausaError
    `- DiagnosisError
       `- ModelError                  the model gave no answer that can be used
          |- ModelUnavailable         nobody answers at the address, or the server fails
          |  |- ModelCircuitOpen      it has not for a while, so it is not asked (`breaker.py`)
          |  `- ModelProtocolError    what came is no answer, or the beginning of one
          |- ModelMissing             the server doesn't have the model
          |- ModelDeadlineExceeded    no answer in time
          |- ModelBudgetSpent         no tokens are left now (`model/budget.py`)
          |- ModelPromptTooLong       one question is more than may be sent (`model/budget.py`)
          |- ModelRefusedQuestion     the server works, and does not take this one question
          `- ModelInvalidAnswer       a whole answer came, and it isn't one

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
    "ModelProtocolError",
    "ModelRefusedQuestion",
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


class ModelProtocolError(ModelUnavailable):
    """What came is no answer: garbage, another API's words, or an answer that was cut off.

    It says nothing of the model, so the question is asked again.
    """


class ModelMissing(ModelError):
    """The server answers but doesn't have the model."""

    reason = "ModelMissing"


class ModelDeadlineExceeded(ModelError):
    """The model didn't answer in the time that it was given."""

    reason = "DeadlineExceeded"

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        """`retry_after_seconds`: until the same question is sent again; None: at any time."""
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class ModelRefusedQuestion(ModelError):
    """The server works, but does not take this one question, or fails at no other.

    It would in the same way again, so the question is not sent again for hours, and it says nothing
    of the server.
    """

    reason = "Refused"

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        """`retry_after_seconds`: until the same question is sent again; None: at any time."""
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class ModelInvalidAnswer(ModelError):
    """The model answered, but not with a diagnosis that rests on the evidence.

    The same question would be answered in the same way, so it is not asked again.
    """

    reason = "InvalidAnswer"

    def __init__(self, message: str, *, detail: str = "") -> None:
        """`detail` quotes what the model wrote: for its repair alone, as nobody checked it."""
        super().__init__(message)
        self.detail = detail
