"""Everything that the embedder raises on purpose.

    EmbedderError
    |- RuntimeMissingError   fastembed or onnxruntime is not installed
    |- ModelMissingError     the model's folder is absent or incomplete
    |- ModelBrokenError      the files are there, but no model comes out of them
    `- InferenceError        the model was loaded and could not answer

Errors of fastembed, onnxruntime and tokenizers (most of them bare `Exception` or `ValueError`)
end at `session.py`.
"""

from __future__ import annotations

__all__ = [
    "EmbedderError",
    "InferenceError",
    "ModelBrokenError",
    "ModelMissingError",
    "RuntimeMissingError",
]


class EmbedderError(Exception):
    """Texts could not be turned into vectors; the message says what a person can do."""


class RuntimeMissingError(EmbedderError):
    """The packages that run models are not installed in this environment."""


class ModelMissingError(EmbedderError):
    """The folder does not hold the files of the model."""


class ModelBrokenError(EmbedderError):
    """The files of the model are there, but they cannot be loaded or disagree with its spec."""


class InferenceError(EmbedderError):
    """The loaded model failed on these texts."""
