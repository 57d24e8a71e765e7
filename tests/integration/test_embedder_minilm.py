"""The real models, with no way to a network."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from kausa_embedder.backends.fastembed_onnx import load_model as load_with_fastembed
from kausa_embedder.engine import Engine
from kausa_embedder.errors import ModelBrokenError, ModelMissingError, ProviderMissingError
from kausa_embedder.loading import load
from kausa_embedder.models import DEFAULT_MODEL, DESCRIPTION_FILE, MODELS
from kausa_embedder.options import EngineOptions

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

PACKAGED = MODELS["all-MiniLM-L6-v2-int8"]
TEXTS = [
    "the container was killed because it ran out of memory",
    "out of memory: the container reached its memory limit and was killed",
    "a recipe for an apple cake with cinnamon",
    "connection refused",
    "",
    "0/3 nodes are available: 3 Insufficient cpu. " * 4,
    "memory " * 300,
]


@pytest.fixture(scope="module")
def models(embedding_model_path: Path) -> Path:
    """The folder in which both models lie."""
    return embedding_model_path.parent


@pytest.fixture
async def engine(models: Path) -> AsyncIterator[Engine]:
    engine = Engine(EngineOptions(folder=models / DEFAULT_MODEL.folder))
    await engine.start()
    yield engine
    await engine.close()


def reference(
    models: Path, texts: list[str]
) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    """fastembed's own pipeline over the packaged model, which computes in fp32."""
    from fastembed import TextEmbedding
    from fastembed.common.model_description import ModelSource, PoolingType

    folder = str(models / PACKAGED.folder)
    name = "reference"
    if all(known["model"] != name for known in TextEmbedding.list_supported_models()):
        TextEmbedding.add_custom_model(
            model=name, pooling=PoolingType.MEAN, normalization=True, dim=384,
            sources=ModelSource(url="file:///unused"), model_file="model.onnx",
        )  # fmt: skip
    model = TextEmbedding(
        name, cache_dir=folder, specific_model_path=folder, local_files_only=True, threads=2
    )
    return [np.asarray(vector, dtype=np.float32) for vector in model.embed(texts, batch_size=1)]


def test_no_socket_is_opened_while_the_model_loads(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the embedder went for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for backend in ("onnx", "fastembed"):
        options = EngineOptions(folder=models / PACKAGED.folder, backend=backend)
        assert load(options).spec.name == PACKAGED.name


async def test_the_dimensions_are_the_models_own_word(engine: Engine) -> None:
    assert (engine.info.model, engine.info.dimensions) == (DEFAULT_MODEL.name, 384)
    assert (engine.info.provider, engine.info.licence) == ("cpu", "Apache-2.0")


async def test_the_packaged_model_answers_what_the_reference_answers(models: Path) -> None:
    engine = Engine(EngineOptions(folder=models / PACKAGED.folder))
    ours = (await engine.embed(TEXTS)).vectors
    await engine.close()
    for vector, wanted in zip(ours, reference(models, TEXTS), strict=True):
        assert float(vector @ wanted) >= 0.999


async def test_our_own_model_stays_near_the_reference(engine: Engine, models: Path) -> None:
    ours = (await engine.embed(TEXTS)).vectors
    near = [float(a @ b) for a, b in zip(ours, reference(models, TEXTS), strict=True)]
    assert min(near) > 0.98
    assert np.mean(near) > 0.99


async def test_vectors_are_of_unit_length_and_near_for_near_texts(engine: Engine) -> None:
    killed, limit, cake = (await engine.embed(TEXTS[:3])).vectors
    assert float(killed @ killed) == pytest.approx(1.0, abs=1e-5)
    assert float(killed @ limit) > 0.7
    assert float(killed @ cake) < 0.2


@pytest.mark.parametrize(
    "text", ["", "   ", "\x00", "\N{SNOWMAN}" * 50, "x" * 100_000, "a " * 9000, "\ud83d"]
)
async def test_odd_texts_get_a_vector_too(engine: Engine, text: str) -> None:
    [vector] = (await engine.embed([text])).vectors
    assert len(vector) == 384
    assert float(vector @ vector) == pytest.approx(1.0, abs=1e-3)


async def test_what_is_said_after_256_tokens_is_not_read_and_told(engine: Engine) -> None:
    long = "memory " * 300
    answer = await engine.embed([long + "apple cake", long, "short"])
    assert np.array_equal(answer.vectors[0], answer.vectors[1])
    assert answer.truncated == [True, True, False]
    assert answer.tokens == [256, 256, 3]


async def test_a_text_has_the_same_vector_alone_and_among_others(models: Path) -> None:
    engine = Engine(EngineOptions(folder=models / DEFAULT_MODEL.folder, cache_bytes=0))
    texts = [f"container {number} failed " + "again " * number for number in range(30)]
    together = (await engine.embed(texts)).vectors
    alone = await asyncio.gather(*(engine.embed([text]) for text in texts))
    await engine.close()
    for vector, single in zip(together, alone, strict=True):
        assert float(vector @ single.vectors[0]) > 0.9999


async def test_late_interaction_puts_the_answer_first(engine: Engine) -> None:
    documents = [
        "The registry refuses to hand out the image: the pull secret is missing or wrong.",
        "A container needs more memory than its limit allows, and the kernel ends it.",
        "No node has enough free CPU for the Pod, so it stays pending.",
    ]
    for question, right in (
        ("my container was ended by the kernel because of memory", 1),
        ("why can't it pull the image, unauthorized", 0),
        ("pod pending insufficient cpu", 2),
    ):
        scores = await engine.rerank(question, documents)
        assert max(range(3), key=scores.__getitem__) == right
        assert all(0 <= score <= 1 for score in scores)


def test_fastembed_and_the_plain_folder_are_one_model(models: Path) -> None:
    folder = models / DEFAULT_MODEL.folder
    model = load_with_fastembed(
        spec=DEFAULT_MODEL, folder=folder, provider="cpu", fallback=False, threads=1
    )
    plain = load(EngineOptions(folder=folder)).backend
    for one, other in zip(model.encode(TEXTS), plain.encode(TEXTS), strict=True):
        assert one.ids.tolist() == other.ids.tolist()
        assert one.truncated == other.truncated


def test_cuda_is_refused_where_there_is_none(models: Path) -> None:
    from kausa_embedder.backends.onnx_session import available_providers

    if "cuda" in available_providers():
        pytest.skip("this runtime was built for CUDA")
    for backend in ("onnx", "fastembed"):
        options = EngineOptions(
            folder=models / DEFAULT_MODEL.folder,
            provider="cuda",
            backend=backend,
        )
        with pytest.raises(ProviderMissingError, match="CUDA was asked for"):
            load(options)


@pytest.mark.parametrize("absent", [file.name for file in DEFAULT_MODEL.files])
def test_a_missing_file_is_named(models: Path, tmp_path: Path, absent: str) -> None:
    for file in DEFAULT_MODEL.files:
        if file.name != absent:
            (tmp_path / file.name).symlink_to(models / DEFAULT_MODEL.folder / file.name)
    with pytest.raises(ModelMissingError, match=absent):
        load(EngineOptions(folder=tmp_path))


def test_a_file_that_was_cut_off_is_broken_and_not_missing(models: Path, tmp_path: Path) -> None:
    for file in DEFAULT_MODEL.files:
        content = (models / DEFAULT_MODEL.folder / file.name).read_bytes()
        (tmp_path / file.name).write_bytes(content[:1000] if "onnx" in file.name else content)
    with pytest.raises(ModelBrokenError, match="make embedded-models"):
        load(EngineOptions(folder=tmp_path))
    description = {"name": "own", "max_tokens": 64, "pooling": "cls", "licence": "MIT"}
    (tmp_path / DESCRIPTION_FILE).write_text(json.dumps(description))
    with pytest.raises(ModelBrokenError, match="cannot be loaded"):
        load(EngineOptions(folder=tmp_path))
