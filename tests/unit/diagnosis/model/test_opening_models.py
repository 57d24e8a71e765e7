"""What is set decides which client asks which model, and with what bounds."""

from __future__ import annotations

import pytest
from pydantic import HttpUrl, SecretStr

from kausa.diagnosis.model.ollama import OllamaModel
from kausa.diagnosis.model.openai import OpenAIModel
from kausa.diagnosis.model.opening import open_models, token_limits
from kausa.errors import SettingsError
from kausa.settings import Settings

URL = HttpUrl("http://model.example:11434")


def same(text: str) -> str:
    return text


def test_without_an_address_there_is_no_model() -> None:
    assert open_models(Settings(model_url=None), redact=same) is None


async def test_ollama_gets_the_window_and_the_usual_names() -> None:
    models = open_models(Settings(model_url=URL, model_context_tokens=12_000), redact=same)
    assert models is not None
    client = models.client("llama3.1")
    assert isinstance(client, OllamaModel)
    assert client._context_tokens == 12_000
    assert (models.names.simple, models.names.reasoning) == ("llama3.1", "deepseek-r1:32b")
    assert models.names.threshold == 0.7
    assert models.budget.tokens == 1_000_000
    await models.close()


async def test_only_configured_models_are_pulled() -> None:
    models = open_models(Settings(model_url=URL, model_pull=True), redact=same)
    assert models is not None
    configured, named = (models.client(name) for name in ("llama3.1", "somebodys-70b"))
    assert isinstance(configured, OllamaModel)
    assert isinstance(named, OllamaModel)
    assert configured._pull is not None
    assert named._pull is None
    await models.close()


@pytest.mark.parametrize(("written", "sent"), [("-1", "-1m"), ("0", "0"), ("10m", "10m")])
async def test_for_ever_is_written_as_ollama_reads_it(written: str, sent: str) -> None:
    models = open_models(Settings(model_url=URL, model_keep_alive=written), redact=same)
    assert models is not None
    client = models.client("llama3.1")
    assert isinstance(client, OllamaModel)
    assert client._keep_alive == sent
    await models.close()


async def test_an_endpoint_of_openais_shape_gets_the_key() -> None:
    models = open_models(
        Settings(model_url=URL, model_kind="openai", model_key=SecretStr("sk-x")), redact=same
    )
    assert models is not None
    client = models.client("llama3.1")
    assert isinstance(client, OpenAIModel)
    assert client._client.headers["Authorization"] == "Bearer sk-x"
    await models.close()


def test_an_hour_that_pays_no_question_is_refused_with_what_to_set() -> None:
    with pytest.raises(SettingsError, match="KAUSA_MODEL_TOKENS_PER_HOUR is 9000"):
        open_models(Settings(model_url=URL, model_tokens_per_hour=9000), redact=same)


def test_a_prompt_that_its_own_rules_fill_is_refused_with_what_to_set() -> None:
    with pytest.raises(SettingsError, match=r"A prompt may have 500 tokens.*1300 is of use"):
        open_models(Settings(model_url=URL, model_prompt_tokens=500), redact=same)


async def test_no_bound_is_no_bound() -> None:
    models = open_models(Settings(model_url=URL, model_tokens_per_hour=0), redact=same)
    assert models is not None
    assert models.budget.tokens is None
    await models.close()


def test_a_shorter_prompt_can_be_set_for_a_machine_that_reads_slowly() -> None:
    short = token_limits(Settings(model_prompt_tokens=1500))
    assert short.for_question(think=False).prompt == 1500


def test_names_of_allowed_models_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAUSA_MODEL_ALLOWED", "qwen2.5:0.5b, mistral")
    models = open_models(
        Settings.from_environment().model_copy(update={"model_url": URL}), redact=same
    )
    assert models is not None
    assert models.names.allows("mistral")
    assert models.names.allows("llama3.1")
    assert not models.names.allows("gpt-5")
