"""What is asked, what is answered, and what any language model must be able to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from kausa.resources.category import Category

__all__ = [
    "LanguageModel",
    "ModelAnswer",
    "ModelFix",
    "ModelReply",
    "ModelRequest",
    "NumberedEvidence",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedEvidence:
    """One piece of evidence; its text went through the redactor before it came here."""

    id: str
    kind: str
    source: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """Everything that the model is told."""

    reason: str
    target: str
    question: str | None = None
    evidence: tuple[NumberedEvidence, ...]
    findings: tuple[str, ...] = ()
    """What the rules found, each a sentence with its evidence ids."""
    similar: tuple[str, ...] = ()
    """Earlier failures that look like this one, with what fixed them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFix:
    """One thing to do, proposed and never done by us."""

    title: str
    rationale: str
    command: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAnswer:
    """A diagnosis whose citations all exist."""

    category: Category
    summary: str
    root_cause: str
    explanation: str
    confidence: int
    """Whole percent, as the model sees itself; models are rarely modest."""
    citations: tuple[str, ...]
    remediation: tuple[ModelFix, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReply:
    """A checked answer and what it cost."""

    answer: ModelAnswer
    model: str
    prompt_tokens: int
    output_tokens: int
    milliseconds: int
    dropped: tuple[str, ...] = ()
    """What the check took out of the answer, and why."""


class LanguageModel(Protocol):
    """A model behind some server; every failure is a `ModelError`."""

    @property
    def name(self) -> str:
        """The model's name, as the status shows it."""
        ...

    async def check(self, *, deadline_seconds: float) -> None:
        """Raise the `ModelError` that says why a question now would not be answered, if any."""
        ...

    async def diagnose(self, request: ModelRequest, *, deadline_seconds: float) -> ModelReply:
        """Ask for the cause; raises `ModelError`."""
        ...

    async def close(self) -> None:
        """Let the connections go."""
        ...
