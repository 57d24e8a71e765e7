"""Settings name an embedder, or are told at once what is wrong with them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from kausa.errors import SettingsError
from kausa.memory.embedding.choosing import EmbedderChoice, choose_embedder
from kausa.memory.embedding.endpoint import Endpoint
from kausa.memory.embedding.http import HttpEmbedder
from kausa.memory.embedding.in_process import InProcessEmbedder
from kausa.memory.embedding.openai import OpenAIEmbedder
from kausa.memory.opening import embedder_choice
from kausa.settings import Settings
from kausa_embedder.settings import Settings as WorkerSettings


@pytest.mark.parametrize(
    ("choice", "kind"),
    [
        (EmbedderChoice(), InProcessEmbedder),
        (EmbedderChoice(kind="http", url="http://kausa-embedder:8080"), HttpEmbedder),
        (EmbedderChoice(kind="openai", url="https://tei/v1", model="m"), OpenAIEmbedder),
    ],
)
async def test_each_kind_can_be_chosen(choice: EmbedderChoice, kind: type) -> None:
    embedder = choose_embedder(choice)
    assert type(embedder) is kind
    await embedder.close()


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (EmbedderChoice(kind="http"), "KAUSA_EMBEDDER_URL is not set"),
        (EmbedderChoice(url="http://x"), "KAUSA_EMBEDDER is in-process"),
        (EmbedderChoice(kind="http", url="kausa-embedder:8080"), "http or https"),
        (EmbedderChoice(kind="http", url="ftp://x"), "http or https"),
        (EmbedderChoice(kind="http", url="http://x", ca_file=Path("/ca")), "plain http"),
        (EmbedderChoice(kind="http", url="https://x", ca_file=Path("/no/ca")), "/no/ca"),
        (EmbedderChoice(kind="http", url="https://x", cert_file=Path("/c")), "needs its key"),
    ],
)
def test_what_cannot_work_is_said_at_once(choice: EmbedderChoice, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        choose_embedder(choice)


SHARED = {"KAUSA_EMBEDDER_MODEL", "KAUSA_EMBEDDER_MODEL_PATH", "KAUSA_EMBEDDER_TOKEN"}
DOCS = Path(__file__).parents[4] / "docs" / "embedder.md"


def test_variables_that_operator_and_worker_both_read_are_those_that_the_docs_tell_of() -> None:
    operators = {f"KAUSA_{name.upper()}" for name in Settings.model_fields}
    workers = {f"KAUSA_EMBEDDER_{name.upper()}" for name in WorkerSettings.model_fields}
    assert operators & workers == SHARED
    told = re.findall(r"^\| `(KAUSA_EMBEDDER_\w+)` \|", DOCS.read_text(), flags=re.MULTILINE)
    assert set(told) == SHARED


def test_an_operator_of_a_worker_goes_by_none_of_the_workers_variables(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """So one environment will do for both."""
    for name, value in {
        "KAUSA_EMBEDDER": "http",
        "KAUSA_EMBEDDER_URL": "http://kausa-embedder:8080",
        "KAUSA_EMBEDDER_MODEL": "cpu",
        "KAUSA_EMBEDDER_MODEL_PATH": str(tmp_path / "nowhere"),
        "KAUSA_EMBEDDER_PORT": "8081",
        "KAUSA_EMBEDDER_TOKEN": "secret",
    }.items():
        monkeypatch.setenv(name, value)
    worker = WorkerSettings.from_environment()
    assert (worker.model, worker.port, worker.model_path) == ("cpu", 8081, tmp_path / "nowhere")
    choice = embedder_choice(Settings.from_environment())
    assert (choice.url, choice.model_path) == ("http://kausa-embedder:8080/", None)
    assert isinstance(choose_embedder(choice), HttpEmbedder)
    token, sent = worker.bearer_token(), choice.token
    assert token is not None
    assert sent is not None
    assert token.get_secret_value() == sent.get_secret_value()


def test_neither_a_token_nor_a_password_is_shown() -> None:
    choice = EmbedderChoice(kind="http", url="https://u:hidden@host/v1", token=SecretStr("hidden"))
    assert choice.url is not None
    endpoint = Endpoint(url=choice.url, token=choice.token)
    assert endpoint.shown == "https://host"
    assert "hidden" not in repr(choice.token)


@pytest.mark.slow
def test_a_remote_embedder_loads_no_model_code() -> None:
    code = (
        "import sys; from kausa.memory.embedding.choosing import *;"
        "choose_embedder(EmbedderChoice(kind='http', url='http://x'));"
        "sys.exit(any(name.split('.')[0] in ('kausa_embedder', 'numpy', 'onnxruntime')"
        " for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
