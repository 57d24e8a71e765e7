"""The real model through fastembed, with no way to a network."""

from __future__ import annotations

import asyncio
import math
import socket
import time
from pathlib import Path

import pytest

from kausa_embedder.errors import ModelBrokenError, ModelMissingError
from kausa_embedder.inference import Inference
from kausa_embedder.models import DEFAULT_MODEL, REQUIRED_FILES
from kausa_embedder.session import Session, load

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]


@pytest.fixture(scope="module")
def session(embedding_model_path: Path) -> Session:
    began = time.perf_counter()
    session = load(spec=DEFAULT_MODEL, folder=embedding_model_path)
    print(f"loaded in {time.perf_counter() - began:.2f} s")
    return session


def cosine(one: list[float], other: list[float]) -> float:
    return math.fsum(a * b for a, b in zip(one, other, strict=True))


def test_no_socket_is_opened_while_the_model_loads(
    embedding_model_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the embedder went for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert load(spec=DEFAULT_MODEL, folder=embedding_model_path).dimensions == 384


def test_vectors_are_of_unit_length_and_near_for_near_texts(session: Session) -> None:
    killed, limit, cake = session.embed(
        [
            "the container was killed because it ran out of memory",
            "out of memory: the container reached its memory limit and was killed",
            "a recipe for an apple cake with cinnamon",
        ]
    )
    assert math.isclose(cosine(killed, killed), 1.0, abs_tol=1e-5)
    assert cosine(killed, limit) > 0.7
    assert cosine(killed, cake) < 0.2


@pytest.mark.parametrize(
    "text", ["", "   ", "\x00", "\N{SNOWMAN}" * 50, "x" * 100_000, "a " * 9000]
)
def test_odd_texts_get_a_vector_too(session: Session, text: str) -> None:
    [vector] = session.embed([text])
    assert len(vector) == 384
    assert math.isclose(cosine(vector, vector), 1.0, abs_tol=1e-3)


def test_what_is_said_after_256_tokens_is_not_read(session: Session) -> None:
    long = "memory " * 300
    with_more, without = session.embed([long + "apple cake", long])
    assert with_more == without


def test_a_text_has_the_same_vector_alone_and_among_others(session: Session) -> None:
    [alone] = session.embed(["connection refused"])
    among = session.embed(["a much longer text " * 30, "connection refused", ""])[1]
    assert cosine(alone, among) > 0.9999


@pytest.mark.parametrize("absent", REQUIRED_FILES)
def test_a_missing_file_is_named(embedding_model_path: Path, tmp_path: Path, absent: str) -> None:
    for name in REQUIRED_FILES:
        if name != absent:
            (tmp_path / name).symlink_to(embedding_model_path / name)
    with pytest.raises(ModelMissingError, match=absent):
        load(spec=DEFAULT_MODEL, folder=tmp_path)


def test_a_cut_off_model_file_is_broken_and_not_missing(
    embedding_model_path: Path, tmp_path: Path
) -> None:
    for name in REQUIRED_FILES:
        content = (embedding_model_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[:1000] if name == "model.onnx" else content)
    with pytest.raises(ModelBrokenError, match="make embedded-models"):
        load(spec=DEFAULT_MODEL, folder=tmp_path)


async def test_many_callers_at_once_each_get_their_own(embedding_model_path: Path) -> None:
    inference = Inference(spec=DEFAULT_MODEL, folder=embedding_model_path)
    texts = [f"container {number} failed" for number in range(20)]
    answers = await asyncio.gather(*(inference.embed([text]) for text in texts))
    together = await inference.embed(texts)
    await inference.close()
    for answer, expected in zip(answers, together, strict=True):
        assert cosine(answer[0], expected) > 0.9999
