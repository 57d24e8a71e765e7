"""One structured question to a language model, and what of its answer holds.

The model comes last and is optional. It sees numbered, already redacted evidence, must answer in a
schema whose citations can only be ids of that evidence, and what it says without a valid citation
is dropped before anybody sees it.
"""

from __future__ import annotations

from kausa.diagnosis.model.protocol import (
    Completion,
    Incident,
    KnownObject,
    LanguageModel,
    Message,
    ModelAnswer,
    ModelFix,
    ModelReply,
    ModelRequest,
    NumberedEvidence,
    Passage,
    Ruling,
)

__all__ = [
    "Completion",
    "Incident",
    "KnownObject",
    "LanguageModel",
    "Message",
    "ModelAnswer",
    "ModelFix",
    "ModelReply",
    "ModelRequest",
    "NumberedEvidence",
    "Passage",
    "Ruling",
]
