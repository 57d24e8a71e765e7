"""Which embedder the settings ask for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from kausa.errors import SettingsError
from kausa.memory.embedding.endpoint import Endpoint
from kausa.memory.embedding.protocol import MOST_CHARACTERS, Embedder
from kausa.memory.waiting import OnWaiting, nobody

__all__ = ["EmbedderChoice", "choose_embedder"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderChoice:
    """What can be set of an embedder; what does not belong to its kind is refused."""

    kind: Literal["in-process", "http", "openai"] = "in-process"
    model_path: Path | None = None
    """in-process: the folder of the model; None looks where `make embedded-models` puts it."""
    url: str | None = None
    """http, openai: where it answers."""
    token: SecretStr | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    hedge_after_seconds: float | None = None
    """http, openai: ask a second time where no answer came for so long; None never does."""
    model: str = ""
    """openai: the model that is asked for, where the endpoint has several. in-process: a preset or
    a model that `kausa_embedder` knows; "" is the one that comes from pinned packages."""
    query_prefix: str = ""
    passage_prefix: str = ""
    most_characters: int = MOST_CHARACTERS
    on_waiting: OnWaiting = nobody
    """http, openai: told while a call goes on that has no answer yet."""


def choose_embedder(choice: EmbedderChoice) -> Embedder:
    """Make it. Nothing is loaded or connected yet, but files for TLS are read once.

    Raises:
        SettingsError: what is set does not go together, or a file cannot be used.
    """
    if choice.kind == "in-process":
        if choice.url is not None:
            raise SettingsError(
                f"KAUSA_EMBEDDER_URL is set ({choice.url}), and KAUSA_EMBEDDER is in-process: set "
                "it to http or openai, or leave the address out."
            )
        from kausa.memory.embedding.in_process import InProcessEmbedder

        return InProcessEmbedder(model_path=choice.model_path, model=choice.model or "offline")
    return _remote(choice, _endpoint(choice))


def _endpoint(choice: EmbedderChoice) -> Endpoint:
    if choice.url is None:
        raise SettingsError(
            f"KAUSA_EMBEDDER is {choice.kind}, and KAUSA_EMBEDDER_URL is not set: set it, for "
            "example to http://kausa-embedder:8080."
        )
    endpoint = Endpoint(
        url=choice.url,
        token=choice.token,
        ca_file=choice.ca_file,
        cert_file=choice.cert_file,
        key_file=choice.key_file,
    )
    endpoint.check()
    return endpoint


def _remote(choice: EmbedderChoice, endpoint: Endpoint) -> Embedder:
    # Imported where they are used: aiohttp is half of what a start costs.
    if choice.kind == "http":
        from kausa.memory.embedding.http import HttpEmbedder

        return HttpEmbedder(
            endpoint,
            hedge_after_seconds=choice.hedge_after_seconds,
            on_waiting=choice.on_waiting,
        )
    from kausa.memory.embedding.openai import OpenAIEmbedder, OpenAIModel

    model = OpenAIModel(
        name=choice.model,
        query_prefix=choice.query_prefix,
        passage_prefix=choice.passage_prefix,
        most_characters=choice.most_characters,
    )
    return OpenAIEmbedder(
        endpoint,
        model=model,
        hedge_after_seconds=choice.hedge_after_seconds,
        on_waiting=choice.on_waiting,
    )
