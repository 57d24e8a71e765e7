"""Everything that the embedder raises on purpose.

    EmbedderError
    |- RuntimeMissingError    a package that runs models is not installed
    |- ProviderMissingError   the device that was asked for is not there
    |- ModelMissingError      the model's files are absent, or could not be fetched
    |- ModelBrokenError       the files are there, but no model comes out of them
    |  `- ChecksumError       a file is not the one that was pinned
    |- InvalidInputError      the texts cannot be taken, now or later
    |  |- TooLongError        one of them has more tokens than the model reads
    |  `- TooLargeError       all together they are more than one call may bring
    |- OverloadedError        the queue is full; it says when to come again
    |- ExpiredError           the deadline passed before the answer was there
    |- InferenceError         the model answered something that no store should see
    |- BrokenError            a stage died; this engine will not answer again
    `- ClosedError            the engine drains or is closed

Errors of fastembed, onnxruntime, torch, tokenizers and urllib (many of them bare `Exception` or
`ValueError`) end in `backends/` and `fetching.py`.
"""

from __future__ import annotations

__all__ = [
    "BrokenError",
    "ChecksumError",
    "ClosedError",
    "EmbedderError",
    "ExpiredError",
    "InferenceError",
    "InvalidInputError",
    "ModelBrokenError",
    "ModelMissingError",
    "OverloadedError",
    "ProviderMissingError",
    "RuntimeMissingError",
    "TooLargeError",
    "TooLongError",
]


class EmbedderError(Exception):
    """Texts could not be turned into vectors; the message says what a person can do."""


class RuntimeMissingError(EmbedderError):
    """The packages that run models are not installed in this environment."""


class ProviderMissingError(EmbedderError):
    """A device was asked for that this machine, or this build of the runtime, does not have."""


class ModelMissingError(EmbedderError):
    """The folder does not hold the files of the model, and they were not fetched."""


class ModelBrokenError(EmbedderError):
    """The files of the model are there, but they cannot be loaded or disagree with its spec."""


class ChecksumError(ModelBrokenError):
    """A file of the model has other bytes than those that were pinned."""


class InvalidInputError(EmbedderError):
    """The caller's texts cannot be taken; trying again does not help."""


class TooLongError(InvalidInputError):
    """A text has more tokens than the model reads, and the caller forbade to cut it."""

    def __init__(self, message: str, *, place: int | None = None) -> None:
        super().__init__(message)
        self.place = place
        """Which of the texts, from 0."""


class TooLargeError(InvalidInputError):
    """One call brings more texts or tokens than a call may."""


class OverloadedError(EmbedderError):
    """The queue is full. Nothing of the request was begun."""

    def __init__(self, message: str, *, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
        """When there should be room again, from the rate at which tokens are answered."""


class ExpiredError(EmbedderError):
    """The deadline of the request passed; what was not begun is not done."""


class InferenceError(EmbedderError):
    """The loaded model answered a vector that is not finite or has no length."""

    def __init__(self, message: str, *, place: int | None = None) -> None:
        super().__init__(message)
        self.place = place
        """For which of the texts, from 0."""


class BrokenError(EmbedderError):
    """A stage of the engine died; every request that waited got this at once."""


class ClosedError(EmbedderError):
    """The engine takes no more requests."""
