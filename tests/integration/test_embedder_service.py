"""The worker as a process with the real model: over load, under signals, and killed.

The first part is the congruence of `tests/unit/memory/embedding` with a model: whichever way the
operator embeds, it gets the same vectors.
"""

from __future__ import annotations

import asyncio
import math
import random
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from pydantic import SecretStr
from support.embedder_process import EmbedderProcess, embedder_process

from kausa.memory.embedding.endpoint import Endpoint
from kausa.memory.embedding.http import HttpEmbedder
from kausa.memory.embedding.in_process import InProcessEmbedder
from kausa.memory.embedding.openai import OpenAIEmbedder
from kausa.memory.embedding.protocol import Embedder
from kausa.memory.errors import MemoryUnavailableError

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="module"),
]

TEXTS = [
    "the container was killed because it ran out of memory",
    "Back-off pulling image registry.example/checkout:v2: manifest unknown",
    "",
    "memory " * 400,
    "dial tcp 10.0.0.7:5432: connect: connection refused",
    "\N{SNOWMAN} Speicher voll \x00",
]
WORDS = (
    "pod container memory killed image pull secret mount volume node probe timeout quota".split()  # noqa: SIM905
)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def worker(
    embedding_model_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[EmbedderProcess]:
    folder = tmp_path_factory.mktemp("embedder")
    async with embedder_process(folder, model_path=embedding_model_path) as running:
        yield running


@pytest_asyncio.fixture(
    loop_scope="module", scope="module", params=["in process", "http", "openai"]
)
async def embedder(
    request: pytest.FixtureRequest, worker: EmbedderProcess, embedding_model_path: Path
) -> AsyncIterator[Embedder]:
    endpoint = Endpoint(url=worker.url)
    made: Embedder
    if request.param == "in process":
        made = InProcessEmbedder(model_path=embedding_model_path)
    elif request.param == "http":
        made = HttpEmbedder(endpoint)
    else:
        made = OpenAIEmbedder(endpoint)
    await made.embed(["ready?"], deadline_seconds=180)
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def reference(
    worker: EmbedderProcess,
) -> dict[str, list[float]]:
    """The vectors as the worker gives them, one text a request."""
    embedder = HttpEmbedder(Endpoint(url=worker.url))
    vectors = {text: (await embedder.embed([text], deadline_seconds=60))[0] for text in TEXTS}
    await embedder.close()
    return vectors


def cosine(one: list[float], other: list[float]) -> float:
    return math.fsum(a * b for a, b in zip(one, other, strict=True))


async def source(texts: list[str]) -> AsyncIterator[tuple[str, str]]:
    for number, text in enumerate(texts):
        yield str(number), text


async def test_the_same_texts_have_the_same_vectors_whichever_way(
    embedder: Embedder, reference: dict[str, list[float]]
) -> None:
    vectors = await embedder.embed(TEXTS, deadline_seconds=60)
    for text, vector in zip(TEXTS, vectors, strict=True):
        assert cosine(vector, reference[text]) > 0.9999
        assert cosine(vector, vector) == pytest.approx(1, abs=1e-4)
    assert embedder.dimensions == 384
    assert embedder.model.startswith("all-MiniLM-L6-v2")
    assert embedder.reranker


async def test_a_stream_has_them_too(embedder: Embedder, reference: dict[str, list[float]]) -> None:
    texts = TEXTS * 20
    answers = {n: v async for n, v in embedder.embed_stream(source(texts), deadline_seconds=60)}
    assert len(answers) == len(texts)
    for number, text in enumerate(texts):
        assert cosine(answers[str(number)], reference[text]) > 0.9999


async def test_reranking_puts_what_answers_first(embedder: Embedder) -> None:
    documents = [
        "a recipe for an apple cake with cinnamon",
        "raise the memory limit of the container: it was OOMKilled",
        "the image's tag does not exist in the registry",
    ]
    answer = await embedder.rerank(
        "why was my container killed by the kernel for memory?", documents, deadline_seconds=60
    )
    scores = [score for score in answer if score is not None]
    assert len(scores) == 3
    assert max(range(3), key=lambda index: scores[index]) == 1
    assert all(0 <= score <= 1 for score in scores)


def some_text(chance: random.Random, words: int) -> str:
    return " ".join(chance.choice(WORDS) + str(chance.randrange(10_000)) for _ in range(words))


async def test_a_diagnosis_goes_before_a_full_queue_of_bulk(worker: EmbedderProcess) -> None:
    """Within two batches: that which runs, and that which it is in itself."""
    chance = random.Random(7)
    bulk, urgent = HttpEmbedder(Endpoint(url=worker.url)), HttpEmbedder(Endpoint(url=worker.url))
    await urgent.embed(["known by name"], deadline_seconds=60)
    answered = 0

    async def ingest() -> None:
        nonlocal answered
        texts = [some_text(chance, 120) for _ in range(1_000)]
        async for _ in bulk.embed_stream(source(texts), deadline_seconds=120):
            answered += 1

    ingesting = asyncio.create_task(ingest())
    while answered < 20:
        await asyncio.sleep(0.01)
    overtaken: list[int] = []
    for number in range(5):
        before = answered
        await urgent.embed([f"why did pod {number} fail?"], deadline_seconds=60)
        overtaken.append(answered - before)
    assert not ingesting.done(), "the queue was never full"
    ingesting.cancel()
    await asyncio.gather(ingesting, return_exceptions=True)
    print(f"bulk texts answered while an interactive one waited: {overtaken}")
    # Texts of 256 tokens are four to a batch; what the client reads late counts twice here.
    assert sorted(overtaken)[2] <= 16
    await bulk.close()
    await urgent.close()


async def test_overload_is_refused_and_the_worker_stays_alive_and_recovers(
    embedding_model_path: Path, tmp_path: Path
) -> None:
    async with embedder_process(
        tmp_path, model_path=embedding_model_path, queue_tokens=2048, cache_bytes=0
    ) as worker:
        chance = random.Random(3)
        codes: dict[int, int] = {}
        probes: list[int | None] = []
        ends_at = time.monotonic() + 3

        async with aiohttp.ClientSession(worker.url) as client:

            async def client_of_many() -> None:
                while time.monotonic() < ends_at:
                    body = {"input": some_text(chance, 60)}
                    async with client.post("/v1/embeddings", json=body) as response:
                        codes[response.status] = codes.get(response.status, 0) + 1
                        if response.status == 429:
                            assert int(response.headers["Retry-After"]) >= 1
                        await response.read()

            async def prober() -> None:
                while time.monotonic() < ends_at:
                    probes.append(await worker.probe("/livez"))
                    await asyncio.sleep(0.2)

            async with asyncio.TaskGroup() as group:
                for _ in range(60):
                    group.create_task(client_of_many())
                group.create_task(prober())
            began = time.monotonic()
            async with client.post("/v1/embeddings", json={"input": "after"}) as response:
                assert response.status == 200
            print(f"codes {codes}, answered {time.monotonic() - began:.2f} s after the overload")
        assert codes.keys() == {200, 429}
        assert set(probes) == {200}


async def test_sigterm_answers_what_was_taken_and_ends_with_0(
    embedding_model_path: Path, tmp_path: Path
) -> None:
    async with embedder_process(
        tmp_path, model_path=embedding_model_path, drain_notice_seconds=0.2, drain_seconds=120
    ) as worker:
        embedder = HttpEmbedder(Endpoint(url=worker.url))
        await embedder.embed(["x"], deadline_seconds=60)
        chance = random.Random(5)
        texts = [some_text(chance, 30) for _ in range(200)]
        asking = asyncio.create_task(embedder.embed(texts, priority="bulk", deadline_seconds=240))
        await asyncio.sleep(0.3)
        worker.send(signal.SIGTERM)
        assert await worker.ended() == 0
        assert '"event": "Worker ended"' in worker.log
        assert "cut off" not in worker.log
        # Slices that had not been sent when the door closed find nobody; a new worker has them.
        worker.start()
        await worker.ready()
        assert len(await asking) == 200
        await embedder.close()


async def test_a_worker_that_is_killed_is_ridden_out_and_nothing_is_lost(
    embedding_model_path: Path, tmp_path: Path
) -> None:
    async with embedder_process(tmp_path, model_path=embedding_model_path) as worker:
        embedder = HttpEmbedder(Endpoint(url=worker.url))
        chance = random.Random(11)
        texts = [some_text(chance, 25) for _ in range(500)]
        answers: dict[str, list[float]] = {}
        twice: list[str] = []

        async def ingest() -> None:
            async for name, vector in embedder.embed_stream(source(texts), deadline_seconds=180):
                if name in answers:
                    twice.append(name)
                answers[name] = vector

        ingesting = asyncio.create_task(ingest())
        for share in (50, 250):
            while len(answers) < share:
                assert not ingesting.done()
                await asyncio.sleep(0.01)
            worker.send(signal.SIGKILL)
            await worker.ended()
            with pytest.raises(MemoryUnavailableError) as away:
                await embedder.embed(["now"], deadline_seconds=0.5)
            assert away.value.reason == "EmbedderUnavailable"
            worker.start()
        await worker.ready()
        assert len(await embedder.embed(["then"], priority="bulk", deadline_seconds=60)) == 1
        await asyncio.wait_for(ingesting, 240)
        assert answers.keys() == {str(number) for number in range(500)}
        assert twice == []
        await embedder.close()


async def test_a_broken_pipe_to_a_model_that_is_not_there_ends_the_process_with_its_reason(
    tmp_path: Path,
) -> None:
    async with embedder_process(tmp_path, model_path=tmp_path / "none", wait=False) as worker:
        assert await worker.ended() == 1
        assert "none" in worker.log
        assert "Traceback" not in worker.log


async def test_sigterm_while_it_loads_ends_it_soon(
    embedding_model_path: Path, tmp_path: Path
) -> None:
    async with embedder_process(tmp_path, model_path=embedding_model_path, wait=False) as worker:
        while "Listening" not in worker.log:
            await asyncio.sleep(0.01)
        worker.send(signal.SIGTERM)
        assert await worker.ended(20) == 0


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "tls.crt", folder / "tls.key"
    subprocess.run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj "
        f"/CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout {key} -out {cert}".split(),
        check=True,
        capture_output=True,
    )
    return cert, key


async def test_https_with_a_token(
    embedding_model_path: Path, tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    cert, key = certificate
    async with embedder_process(
        tmp_path,
        model_path=embedding_model_path,
        tls_cert_file=cert,
        tls_key_file=key,
        token="only-for-the-operator",
    ) as worker:
        token = SecretStr("only-for-the-operator")
        trusted = HttpEmbedder(Endpoint(url=worker.url, token=token, ca_file=cert))
        assert len((await trusted.embed(["x"], deadline_seconds=60))[0]) == 384
        async for _ in trusted.embed_stream(source(["x"]), deadline_seconds=60):
            pass
        await trusted.close()
        for endpoint in (
            Endpoint(url=worker.url, token=token),
            Endpoint(url=worker.url, ca_file=cert),
            Endpoint(url=worker.url, ca_file=cert, token=SecretStr("guessed")),
        ):
            stranger = HttpEmbedder(endpoint)
            with pytest.raises(MemoryUnavailableError) as refused:
                await stranger.embed(["x"], deadline_seconds=1)
            assert refused.value.reason == "EmbedderUnavailable"
            await stranger.close()
        assert "only-for-the-operator" not in worker.log
        with pytest.raises(aiohttp.ClientError):
            async with aiohttp.ClientSession() as client:
                await client.get(worker.url.replace("https", "http") + "/livez")
