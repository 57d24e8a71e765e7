"""Which language models are asked, when, and what that may cost."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field
from pydantic_settings import BaseSettings

from kausa.settings.values import HeaderSecret, ModelName, ServerUrl

__all__ = ["SURE_RULES", "ModelSettings"]

SURE_RULES: Final = 60
"""From this percentage on, rules are not contradicted: of the cases (docs/evaluation.md) all are
diagnosed rightly where rules are as sure as that, and a small model is far from it. So from there
on nobody pays for a model that could not decide."""


class ModelSettings(BaseSettings):
    """The model server, and the bounds of time and tokens of each question."""

    model_url: ServerUrl | None = None
    """The address of a model server, such as http://ollama:11434; None never asks a model."""

    model_kind: Literal["ollama", "openai"] = "ollama"
    """Which API the server speaks: Ollama's, or that of OpenAI (vLLM, llama.cpp, hosted ones)."""

    model_key: HeaderSecret | None = None
    """A bearer token, where the server wants one."""

    model_ca_file: Path | None = None
    """A PEM file with certificates of authorities (CA) that are trusted for the model's address,
    beside those that are trusted anyway. It is read at the start."""

    simple_model: ModelName = "llama3.1"
    """The model for what is not complex, which is most."""

    reasoning_model: ModelName = "deepseek-r1:32b"
    """The model for what is complex: it may think before it answers. Where the server does not have
    it the simple model is asked, and `status.model.reason` says so; it may be the same one."""

    model_allowed: Annotated[str, Field(max_length=4096)] = ""
    """Which other models `spec.model` may name, separated by commas: whoever may make a
    FailureDiagnosis chooses one, and a hosted one costs. Empty allows any that the server has."""

    model_threshold: Annotated[float, Field(ge=0, le=1)] = 0.7
    """From which complexity (0 to 1) on the reasoning model is asked."""

    model_below_confidence: Annotated[int, Field(ge=0, le=101)] = SURE_RULES
    """A model is asked only where the rules' confidence (percent) is below this, or somebody asks a
    question; 101 asks it always."""

    model_timeout_seconds: Annotated[float, Field(gt=0, le=3600)] = 120.0
    """How long one answer of a model may take, thinking and a second attempt included."""

    model_concurrency: Annotated[int, Field(ge=1, le=64)] = 1
    """How many questions are asked at the same time. A local model that is asked two is slow at
    both."""

    model_queue_size: Annotated[int, Field(ge=10, le=100_000)] = 5_000
    """How many failures may wait for a model. Of more, the least urgent has to wait outside and
    says QueueFull."""

    model_tokens_per_hour: Annotated[int, Field(ge=0, le=10_000_000_000)] = 1_000_000
    """How many tokens, read and written, all questions of an hour may use; 0 is no bound, and what
    one question may cost is the least."""

    model_tokens_per_diagnosis: Annotated[int, Field(ge=6_000, le=10_000_000)] = 16_000
    """How many tokens one diagnosis may use, a second attempt included; the prompt is cut so that
    it holds."""

    model_context_tokens: Annotated[int, Field(ge=4_096, le=2_000_000)] = 8_192
    """The window of the models, which prompt and answer must fit; Ollama allocates it."""

    model_prompt_tokens: Annotated[int, Field(ge=500, le=1_000_000)] = 6_000
    """The longest prompt; where a model reads slowly, a shorter one is an earlier answer. Its rules
    with the least of evidence take some 860, and fewer are refused at the start."""

    model_keep_alive: Annotated[str, Field(pattern=r"^(-1|0|[0-9]+(ms|s|m|h))$")] = "10m"
    """ollama: how long a model stays loaded after an answer; -1 for ever."""

    model_pull: bool = False
    """ollama: True has the server fetch the simple and the reasoning model where it lacks them."""
