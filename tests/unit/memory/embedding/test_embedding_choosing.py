"""Settings name an embedder, or are told at once what is wrong with them."""

from __future__ import annotations

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
        (EmbedderChoice(kind="http"), "no address"),
        (EmbedderChoice(url="http://x"), "runs in this process"),
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
