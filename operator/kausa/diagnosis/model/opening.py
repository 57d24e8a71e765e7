"""From the settings to the models: which client, with which bounds."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

from kausa.diagnosis.model.budget import HourlyBudget, TokenLimits
from kausa.diagnosis.model.models import ModelClient, Models, Names
from kausa.diagnosis.model.prompt import TokenCounter, least_budget, load_counter
from kausa.diagnosis.model.trust import trust_of
from kausa.errors import SettingsError
from kausa.settings import Settings

__all__ = ["open_models", "token_limits"]


def open_models(
    settings: Settings,
    *,
    redact: Callable[[str], str],
) -> Models | None:
    """Return the models of the configured server; None where none is configured.

    Nothing is connected yet. `redact` takes secrets out of what a model thinks aloud.

    Raises:
        SettingsError: an hour's tokens, or those of a prompt, would not do for a single question,
            or the file with authorities cannot be used.
    """
    url = settings.model_url
    if url is None:
        return None
    limits = token_limits(settings)
    worst = limits.most
    if 0 < settings.model_tokens_per_hour < worst:
        raise SettingsError(
            f"KAUSA_MODEL_TOKENS_PER_HOUR is {settings.model_tokens_per_hour}, and one question "
            f"may cost {worst} tokens, so none would ever be asked: set it to at least that, or "
            "lower KAUSA_MODEL_TOKENS_PER_DIAGNOSIS."
        )
    room = min(limits.for_question(think=each).prompt for each in (True, False))
    least = least_budget()
    if room < least:
        raise SettingsError(
            f"A prompt may have {room} tokens, and its rules with the least of evidence take "
            f"{least}, so nothing could be asked: set KAUSA_MODEL_PROMPT_TOKENS to at least that "
            "(1300 is of use), or raise KAUSA_MODEL_TOKENS_PER_DIAGNOSIS or "
            "KAUSA_MODEL_CONTEXT_TOKENS."
        )
    folder = _tokenizer_folder(settings)
    trust = trust_of(settings.model_ca_file, url=str(url))

    def connect(name: str, configured: bool) -> ModelClient:
        return _client(settings, url=str(url), name=name, configured=configured, trust=trust)

    def counter() -> TokenCounter:
        return load_counter(folder)

    return Models(
        names=Names(
            simple=settings.simple_model,
            reasoning=settings.reasoning_model,
            threshold=settings.model_threshold,
            allowed=frozenset(settings.model_allowed.replace(",", " ").split()),
        ),
        connect=connect,
        limits=limits,
        budget=HourlyBudget(tokens=settings.model_tokens_per_hour or None),
        redact=redact,
        timeout_seconds=settings.model_timeout_seconds,
        make_counter=counter,
    )


def token_limits(settings: Settings) -> TokenLimits:
    """Return what one diagnosis may cost."""
    return TokenLimits(
        context=settings.model_context_tokens,
        prompt=settings.model_prompt_tokens,
        per_diagnosis=settings.model_tokens_per_diagnosis,
    )


def _client(
    settings: Settings, *, url: str, name: str, configured: bool, trust: ssl.SSLContext | bool
) -> ModelClient:
    # Imported where they are used: each brings a client that the other does not need.
    if settings.model_kind == "openai":
        from kausa.diagnosis.model.openai import OpenAIModel

        return OpenAIModel(url=url, name=name, key=settings.model_key, trust=trust)
    from kausa.diagnosis.model.ollama import OllamaModel

    return OllamaModel(
        url=url,
        name=name,
        key=settings.model_key,
        trust=trust,
        context_tokens=settings.model_context_tokens,
        # Ollama reads a text as a duration, which has a unit; anything below zero is for ever.
        keep_alive="-1m" if settings.model_keep_alive == "-1" else settings.model_keep_alive,
        # Gigabytes are fetched for whoever runs the operator, not for whoever makes a resource.
        pull=settings.model_pull and configured,
    )


def _tokenizer_folder(settings: Settings) -> Path | None:
    """Where a real tokenizer lies, if one does: the embedding model's."""
    if settings.embedder_model_path is not None:
        return settings.embedder_model_path
    try:
        from kausa_embedder.models import find_folder, find_spec
    except ImportError:
        return None
    return find_folder(find_spec("offline"))
