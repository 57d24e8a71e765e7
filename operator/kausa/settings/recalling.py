"""Who turns texts into vectors, and how what is recalled is ranked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings

from kausa.settings.values import HeaderSecret, ServerUrl

__all__ = ["EmbedderSettings", "RankingSettings"]


class EmbedderSettings(BaseSettings):
    """The embedding model, in this process or behind an address."""

    embedder: Literal["in-process", "http", "openai"] = "in-process"
    """`in-process` runs the model in the operator, `http` asks Kausa's own worker, `openai` any
    endpoint of that shape, such as text-embeddings-inference."""

    embedder_model_path: Path | None = None
    """in-process: the folder of the model (model.onnx, tokenizer.json and its config files). None
    looks where `make embedded-models` puts it."""

    embedder_url: ServerUrl | None = None
    """http, openai: where it answers."""

    embedder_token: HeaderSecret | None = None
    """http, openai: a bearer token."""

    embedder_model: Annotated[str, Field(max_length=128)] = ""
    """openai: which model is asked for, where the endpoint has several."""

    embedder_query_prefix: Annotated[str, Field(max_length=256)] = ""
    """openai: what this model wants before a question."""

    embedder_passage_prefix: Annotated[str, Field(max_length=256)] = ""
    """openai: what this model wants before a text that may answer one."""

    embedder_ca_file: Path | None = None
    """http, openai: whom to trust, instead of the authorities of this machine."""

    embedder_cert_file: Path | None = None
    """http, openai: a client certificate; with `embedder_key_file`."""

    embedder_key_file: Path | None = None
    """The key of that certificate."""

    embedder_hedge_seconds: Annotated[float, Field(gt=0, le=60)] | None = None
    """http, openai: ask a second time where no answer came for so long. None never does."""


class RankingSettings(BaseSettings):
    """The weights of what fits and of what people said of it."""

    ranking_relevance: Annotated[float, Field(gt=0, le=10)] = 0.6
    """The weight of how well a memory fits."""

    ranking_reward: Annotated[float, Field(ge=0, le=10)] = 0.4
    """The weight of what people said of it; 0 ranks by fit alone."""

    ranking_half_life_days: Annotated[float, Field(ge=0.01, le=36_500)] = 30.0
    """After so many days what people said counts half."""

    ranking_band: Annotated[float, Field(ge=0, le=1)] = 0.06
    """What people said reorders only what fits at most this much worse than the best."""

    ranking_floor: Annotated[float, Field(ge=0, le=1)] = 0.3
    """What people said counts nothing below this fit."""

    rerank_seconds: Annotated[float, Field(ge=0, le=30)] = 0.5
    """How long the best memories may be read a second time before an answer goes without it."""
