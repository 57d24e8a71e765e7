"""Who is measured, all with the same model, the same threads and the same texts.

raw         onnxruntime alone: texts tokenised at once, sorted by length, batches of the best size,
            one after the other on all threads. What nobody who answers requests can reach.
raw-lanes   the same, with batches beside each other on one thread each, as our engine runs them
            when there are several. The better of both is what the hardware gives.
fastembed   its own `embed`, at its best batch size; it is not told of the other vectors' output
engine-N    our engine in this process, N clients that bring one text at a time
http-N      our worker as a process, N clients over HTTP
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from bench.embedder.measuring import (
    Result,
    clients,
    median_ms,
    median_ms_of,
    peak_rss_mib,
    percentile,
)

from kausa_embedder.backends.base import Encoded
from kausa_embedder.backends.onnx_folder import load_model
from kausa_embedder.engine import Engine
from kausa_embedder.models import DEFAULT_MODEL, find_folder
from kausa_embedder.options import EngineOptions, NullObserver
from kausa_embedder.padding import Batch, Inputs

RAW_SIZES = (1, 2, 4, 8, 16, 32)
FASTEMBED_SIZES = (1, 8, 32, 256)


def raw(texts: list[str], threads: int, size: int, *, lanes: int = 1) -> Result:
    model = load_model(
        spec=DEFAULT_MODEL,
        folder=find_folder(DEFAULT_MODEL),
        provider="cpu",
        fallback=False,
        threads=threads,
    )
    many = model.divided() if lanes > 1 else model
    for text in texts[:20]:
        _run(many, model.encode([text]))
    tokens = padded = 0
    speeds = {}
    with ThreadPoolExecutor(max_workers=lanes) as running:
        for each in (size,) if size else RAW_SIZES:
            began = time.perf_counter()
            encoded = sorted(model.encode(texts), key=lambda one: -len(one.ids))
            batches = [encoded[start : start + each] for start in range(0, len(encoded), each)]
            each_run = partial(_run, many)
            padded = sum((running.map if lanes > 1 else map)(each_run, batches))
            tokens = sum(len(one.ids) for one in encoded)
            speeds[each] = len(texts) / (time.perf_counter() - began)
    best = max(speeds.values())
    return Result(
        texts_per_second=best,
        speeds=speeds,
        tokens_per_second=tokens * best / len(texts),
        padding=1 - tokens / padded,
        single_p50_ms=median_ms(lambda text: _run(model, model.encode([text]))),
        rss_mib=peak_rss_mib(),
    )


def raw_lanes(texts: list[str], threads: int, size: int) -> Result:
    return raw(texts, threads, size, lanes=threads)


def _run(model: Any, encoded: list[Encoded]) -> int:
    shape = (len(encoded), max(len(one.ids) for one in encoded))
    ids, mask = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    for row, one in enumerate(encoded):
        ids[row, : len(one.ids)], mask[row, : len(one.ids)] = one.ids, 1
    vectors = model.run(Inputs(ids=ids, mask=mask)).sentences
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return ids.size


def fastembed(texts: list[str], threads: int, size: int) -> Result:
    from fastembed import TextEmbedding
    from fastembed.common.model_description import ModelSource, PoolingType

    folder = str(find_folder(DEFAULT_MODEL))
    TextEmbedding.add_custom_model(
        model="bench", pooling=PoolingType.MEAN, normalization=True, dim=384,
        sources=ModelSource(url="file:///unused"), model_file="model.onnx",
    )  # fmt: skip
    model = TextEmbedding(
        "bench", cache_dir=folder, specific_model_path=folder, threads=threads,
        providers=["CPUExecutionProvider"], local_files_only=True,
    )  # fmt: skip
    list(model.embed(texts[:20]))
    speeds = {}
    for each in (size,) if size else FASTEMBED_SIZES:
        began = time.perf_counter()
        list(model.embed(texts, batch_size=each))
        speeds[each] = len(texts) / (time.perf_counter() - began)
    return Result(
        texts_per_second=max(speeds.values()),
        speeds=speeds,
        single_p50_ms=median_ms(lambda text: list(model.embed([text]))),
        rss_mib=peak_rss_mib(),
    )


class Counting(NullObserver):
    """Adds up what was run."""

    tokens = 0
    padded = 0

    def ran(self, *, seconds: float, batch: Batch) -> None:
        self.tokens += batch.tokens
        self.padded += batch.padded_tokens


async def engine(texts: list[str], threads: int, count: int) -> Result:
    counting = Counting()
    ours = Engine(EngineOptions(threads=threads, cache_bytes=0), observer=counting)
    await ours.start()
    single = await median_ms_of(lambda text: ours.embed([text]))
    counting.tokens = counting.padded = 0
    seconds, took = await clients(texts, count, lambda text: ours.embed([text]))
    await ours.close()
    return Result(
        texts_per_second=len(texts) / seconds,
        tokens_per_second=counting.tokens / seconds,
        padding=1 - counting.tokens / counting.padded,
        p50_ms=percentile(took, 0.5),
        p95_ms=percentile(took, 0.95),
        p99_ms=percentile(took, 0.99),
        single_p50_ms=single,
        rss_mib=peak_rss_mib(),
    )


@asynccontextmanager
async def _worker(threads: int) -> AsyncIterator[Any]:
    from support.embedder_process import embedder_process

    with tempfile.TemporaryDirectory() as folder:
        async with embedder_process(
            folder=Path(folder),
            model_path=find_folder(DEFAULT_MODEL),
            threads=str(threads),
            cache_bytes="0",
        ) as process:
            yield process


async def http(texts: list[str], threads: int, count: int) -> Result:
    from kausa.memory.embedding.endpoint import Endpoint
    from kausa.memory.embedding.http import HttpEmbedder

    async with _worker(threads) as process:
        client = HttpEmbedder(Endpoint(url=process.url))

        async def embed(text: str) -> object:
            return await client.embed([text], deadline_seconds=60)

        single = await median_ms_of(embed)
        seconds, took = await clients(texts, count, embed)
        rss = process.rss_mib()
        await client.close()
    return Result(
        texts_per_second=len(texts) / seconds,
        p50_ms=percentile(took, 0.5),
        p95_ms=percentile(took, 0.95),
        p99_ms=percentile(took, 0.99),
        single_p50_ms=single,
        rss_mib=rss,
    )


CONTENDERS: dict[str, Callable[[list[str], int, int], Result]] = {
    "raw": raw,
    "raw-lanes": raw_lanes,
    "fastembed": fastembed,
    **{
        f"{name}-{count}": lambda texts, threads, size, run=run, count=count: asyncio.run(  # type: ignore[misc]
            run(texts, threads, count)
        )
        for name, run in (("engine", engine), ("http", http))
        for count in (1, 8, 64)
    },
}
