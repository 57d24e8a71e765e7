"""What is asked, what is answered, and what any language model must be able to do.

A client only completes messages. The prompt, the check of the answer and the repair are the same
for every server and stand in `kausa.diagnosis.model.asking`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from kausa.diagnosis.finding import Patch
from kausa.resources.category import Category
from kausa.resources.diagnosis import Risk

__all__ = [
    "Attempts",
    "Completion",
    "Incident",
    "KnownObject",
    "LanguageModel",
    "LiveModel",
    "Message",
    "ModelAnswer",
    "ModelFix",
    "ModelReply",
    "ModelRequest",
    "NumberedEvidence",
    "OnText",
    "Passage",
    "Ruling",
]

OnText: TypeAlias = Callable[[str | None], None]
"""Hears each piece of an answer as it is written; None: it begins, a second time after a broken
connection; an empty piece: it thinks. What it hears is unchecked: it is for whoever checks it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedEvidence:
    """One piece of evidence; its text went through the redactor before it came here."""

    id: str
    kind: str
    source: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """An earlier failure that is like this one, and what came of it."""

    cause: str
    resolution: str = ""
    """What was done about it; empty where nobody knows."""
    outcome: str = ""
    """`worked`, `failed`, or empty where nobody knows."""
    score: int = 0
    """How much alike it is, in percent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A passage of a runbook."""

    title: str
    text: str
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownObject:
    """An object that was read, or that evidence names: a command may be about it."""

    kind: str
    name: str
    namespace: str = ""
    api_version: str = ""
    """Empty where the object was only heard of."""
    containers: tuple[str, ...] = ()
    """The names of its containers, where it has a Pod or a Pod template."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What the rules decided, to hold the model's answer against."""

    category: Category | None
    root_cause: str
    confidence: int
    """Whole percent."""
    citations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """Everything that the model is told, and what its answer is held against."""

    reason: str
    target: str
    """`Kind/name` of what fails."""
    namespace: str = ""
    question: str | None = None
    evidence: tuple[NumberedEvidence, ...]
    findings: tuple[str, ...] = ()
    """What the rules found, each a sentence with its evidence ids."""
    ruling: Ruling | None = None
    """What the rules decided; None where they came to nothing."""
    changes: tuple[str, ...] = ()
    """What changed since it last worked, each a line with its evidence id."""
    incidents: tuple[Incident, ...] = ()
    runbooks: tuple[Passage, ...] = ()
    objects: tuple[KnownObject, ...] = ()
    """What exists; a command that is about anything else is dropped."""
    images: tuple[str, ...] = ()
    """What specifications name, now and before the last change: a command may set these."""
    rolled_out: bool = False
    """Whether a change of the target's template was seen, which can be undone."""
    repairs: tuple[str, ...] = ()
    """Commands that rules propose."""
    brief: bool = False
    """Whether only the cause is asked for, and neither an explanation nor fixes: an answer of a
    third of the length, where nothing but a log explains the failure."""
    complexity: tuple[str, ...] = ()
    """Why the question is hard, in words; shown to the model as what to take care of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFix:
    """One thing to do, proposed and never done by us."""

    title: str
    rationale: str
    command: str | None = None
    risk: Risk = Risk.LOW
    patch: Patch | None = None
    """What the command comes to, for the API server to be asked about it without doing it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAnswer:
    """A diagnosis whose citations all exist and bear what it says."""

    category: Category | None
    """None: the model says that the evidence does not decide."""
    summary: str
    root_cause: str
    explanation: str
    confidence: int
    """Whole percent, capped by how much of the answer its evidence bears."""
    citations: tuple[str, ...]
    remediation: tuple[ModelFix, ...] = ()
    quotes: tuple[str, ...] = ()
    """The lines of a log that it calls decisive, each with quotation marks where it is verbatim."""

    @property
    def determined(self) -> bool:
        """Whether a cause was named."""
        return self.category is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReply:
    """A checked answer and what it cost, a repair included."""

    answer: ModelAnswer
    model: str
    prompt_tokens: int
    output_tokens: int
    milliseconds: int
    thinking: str = ""
    """What a reasoning model wrote before it answered: to be redacted and bounded by who shows it,
    and never a part of the answer."""
    prompt_version: str = ""
    repaired: bool = False
    """Whether the first answer did not hold and this is the second."""
    dropped: tuple[str, ...] = ()
    """What the check took out of the answer, and why."""
    suspicious: tuple[str, ...] = ()
    """Where text that reads like an instruction to a model was seen: evidence ids, or words such as
    `the question`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What a model wrote."""

    text: str
    thinking: str = ""
    """What it thought aloud before, where the server tells the two apart."""
    prompt_tokens: int = 0
    output_tokens: int = 0
    milliseconds: int = 0
    finish: Literal["stop", "length"] = "stop"
    """`length`: it was cut off at the limit of tokens."""


class Attempts(Protocol):
    """Whoever pays for a question: a client sends it again itself where its connection broke."""

    def failed(self, *, read: bool) -> None:
        """An attempt came to nothing; `read`: the server may have read the question."""
        ...

    def may_repeat(self) -> bool:
        """Whether there are tokens for another attempt, which begins then."""
        ...


class LanguageModel(Protocol):
    """A model behind some server; every failure is a `ModelError`."""

    @property
    def name(self) -> str:
        """The model's name, as the status shows it."""
        ...

    async def check(self, *, deadline_seconds: float) -> None:
        """Raise the `ModelError` that says why a question now would not be answered, if any."""
        ...

    async def complete(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any],
        deadline_seconds: float,
        think: bool,
        max_output_tokens: int,
    ) -> Completion:
        """Continue the messages with a JSON text in the schema; raises `ModelError`.

        `think` asks a reasoning model to think first; a model that can't ignores it.
        Cancelling stops the server's work too.
        """
        ...

    async def close(self) -> None:
        """Let the connections go."""
        ...


class LiveModel(LanguageModel, Protocol):
    """A model whose answer can be followed while it is written."""

    async def complete(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any],
        deadline_seconds: float,
        think: bool,
        max_output_tokens: int,
        on_text: OnText | None = None,
    ) -> Completion:
        """As `LanguageModel.complete`."""
        ...
