"""Everything an operator of Kausa may set, read once from the environment at the start.

Each field is set by `KAUSA_<FIELD>` in upper case. Nothing below the command line reads the
environment: settings are passed in.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, HttpUrl, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from kausa.errors import SettingsError

__all__ = ["Settings", "default_cache_folder", "default_state_folder"]


def default_cache_folder() -> Path:
    """Where fetched things live (models, binaries): they can always be fetched again."""
    named = os.environ.get("KAUSA_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kausa"


def default_state_folder() -> Path:
    """Where the embedded memory lives: it can be lost, but it is worth keeping."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "kausa"


class Settings(BaseSettings):
    """The operator's settings; frozen, so that what was logged at the start stays true."""

    model_config = SettingsConfigDict(env_prefix="KAUSA_", frozen=True, extra="ignore")

    cluster_name: str = Field(default="default", min_length=1, max_length=63)
    """Names this cluster in every record; two clusters that share a memory need two names."""

    namespace: Annotated[
        str | None, Field(max_length=63, pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")
    ] = None
    """Watch one namespace only. None watches all that the credentials may see."""

    log_format: Literal["auto", "json", "text"] = "auto"
    """`json` for machines, `text` for people; `auto` is text on a terminal, else json."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe line that is written."""

    memory_enabled: bool = True
    """False runs on rules alone; every resource says so in its condition MemoryRecalled."""

    memory_path: Path = Field(default_factory=lambda: default_state_folder() / "memory")
    """The folder of the embedded vector store; one operator process owns it at a time."""

    redaction_key_path: Path = Field(
        default_factory=lambda: default_state_folder() / "redaction.key"
    )
    """A secret of this installation, made at the first start: it makes one secret's placeholder the
    same every time, and keeps others from guessing what a placeholder stands for."""

    embedder_model_path: Path = Field(
        default_factory=lambda: default_cache_folder() / "models" / "all-MiniLM-L6-v2-int8"
    )
    """The folder of the embedding model (model.onnx, tokenizer.json and its config files)."""

    model_url: HttpUrl | None = None
    """The address of an Ollama server; None never asks a model."""

    model_name: str = Field(default="llama3.1", min_length=1, max_length=128)
    """The Ollama model that is asked where rules are not sure."""

    model_timeout_seconds: Annotated[float, Field(gt=0, le=3600)] = 120.0
    """How long one answer of the model may take."""

    model_below_confidence: Annotated[int, Field(ge=0, le=100)] = 80
    """The model is asked only where the rules' confidence (percent) is below this."""

    repeat_interval_seconds: Annotated[float, Field(ge=0, le=3600)] = 10.0
    """Repeats of one failure are written at most this often; the first is written at once."""

    refresh_seconds: Annotated[float, Field(ge=30, le=86_400)] = 600.0
    """A failure that goes on is diagnosed again after this long: its cause may have changed."""

    concurrent_diagnoses: Annotated[int, Field(ge=1, le=64)] = 4
    """How many failures are diagnosed at the same time."""

    queue_size: Annotated[int, Field(ge=100, le=1_000_000)] = 50_000
    """How many changed Pods may wait for a worker; beyond it the oldest is dropped and counted."""

    @classmethod
    def from_environment(cls, **overrides: object) -> Self:
        """Read `KAUSA_*`, with what the command line says on top.

        Raises:
            SettingsError: a value cannot be used; the message names the variable.
        """
        given = {name: value for name, value in overrides.items() if value is not None}
        try:
            return cls(**given)  # type: ignore[arg-type]
        except ValidationError as error:
            raise SettingsError(_explain(error)) from error


def _explain(error: ValidationError) -> str:
    problems = [
        f"KAUSA_{'_'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_input=False)
    ]
    return "A setting cannot be used, nothing was started. " + "; ".join(problems) + "."
