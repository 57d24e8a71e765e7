"""Folders with models of a few bytes, written here, loaded and run by onnxruntime."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from kausa_embedder.engine import Engine
from kausa_embedder.errors import ModelBrokenError, ProviderMissingError
from kausa_embedder.loading import load
from kausa_embedder.options import EngineOptions

HACK = Path(__file__).resolve().parents[3] / "hack" / "models"
WORDS = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "out", "of", "memory", "cake", "apple"]


def write_tokenizer(folder: Path) -> None:
    tokenizer = Tokenizer(
        models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 1), ("[SEP]", 2)],
    )
    tokenizer.save(str(folder / "tokenizer.json"))


def write_folder(folder: Path, *, scores: bool, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Token vectors are a table's rows; a score is how often the second text says `memory`."""
    monkeypatch.syspath_prepend(str(HACK))
    onnx_file: Any = importlib.import_module("onnx_file")
    folder.mkdir()
    write_tokenizer(folder)
    graph = onnx_file.Graph("tiny")
    shape = (onnx_file.INT64, ["texts", "width"])
    if scores:
        graph.weight("memory", np.array(WORDS.index("memory"), np.int64))
        graph.weight("axis", np.array([1], np.int64))
        graph.run("Equal", ["input_ids", "memory"], "is_memory")
        graph.run("Cast", ["is_memory"], "said", to=onnx_file.INT64)
        graph.run("Mul", ["said", "token_type_ids"], "said_second")
        graph.run("Mul", ["said_second", "attention_mask"], "counted")
        graph.run("ReduceSum", ["counted", "axis"], "total", keepdims=1)
        graph.run("Cast", ["total"], "logits", to=onnx_file.FLOAT)
        outputs = {"logits": (onnx_file.FLOAT, ["texts", 1])}
    else:
        table = np.random.default_rng(1).normal(size=(len(WORDS), 6)).astype(np.float32)
        graph.weight("table", table)
        graph.run("Gather", ["table", "input_ids"], "last_hidden_state")
        outputs = {"last_hidden_state": (onnx_file.FLOAT, ["texts", "width", 6])}
    inputs = {"input_ids": shape}
    if scores:
        inputs |= {"attention_mask": shape, "token_type_ids": shape}
    content = graph.save(
        inputs=inputs, outputs=outputs, opsets={"": 18}, ir_version=8, licence="none"
    )
    (folder / "model.onnx").write_bytes(content)
    description = {"name": folder.name, "max_tokens": 16, "pooling": "mean", "licence": "none"}
    (folder / "kausa-model.json").write_text(
        json.dumps(description | {"cross_encoder": scores, "late": not scores})
    )
    return folder


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    return (
        write_folder(tmp_path / "tiny", scores=False, monkeypatch=monkeypatch),
        write_folder(tmp_path / "judge", scores=True, monkeypatch=monkeypatch),
    )


async def test_a_folder_of_ones_own_embeds_scores_and_reranks(folders: tuple[Path, Path]) -> None:
    embedding, scoring = folders
    engine = Engine(
        EngineOptions(folder=embedding, reranker="judge", reranker_folder=scoring, threads=1)
    )
    await engine.start()
    info = engine.info
    assert (info.model, info.dimensions, info.reranker, info.threads) == ("tiny", 6, "judge", 1)
    answer = await engine.embed(["out of memory", "memory of out", "cake"])
    np.testing.assert_allclose(answer.vectors[0], answer.vectors[1], atol=1e-5)
    documents = ["memory memory", "apple cake", "out of memory"]
    scores = await engine.rerank("out of memory memory memory", documents)
    assert scores == pytest.approx([1 / (1 + np.exp(-2)), 0.5, 1 / (1 + np.exp(-1))])
    late = await engine.score_late("out of memory", documents)
    assert late[2] == pytest.approx(1.0, abs=1e-3)
    await engine.close()


def test_words_of_tokens_are_those_of_the_text_whatever_the_model(
    folders: tuple[Path, Path],
) -> None:
    backend = load(EngineOptions(folder=folders[0], threads=1)).backend
    [encoded] = backend.encode(["Out of Memory."], words=True)
    assert encoded.words == ("", "out", "of", "memory", ".", "")
    [long] = backend.encode(["memory " * 40])
    assert (len(long.ids), long.truncated) == (16, True)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_file_that_is_garbage_is_a_broken_model(folders: tuple[Path, Path], name: str) -> None:
    (folders[0] / name).write_bytes(b"garbage")
    with pytest.raises(ModelBrokenError, match=name):
        load(EngineOptions(folder=folders[0], threads=1))


def test_cuda_is_refused_where_the_session_does_not_run_on_it(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build with CUDA on a machine without a device: onnxruntime falls back, we do not."""

    class Session:
        def __init__(self, *_: object, **__: object) -> None: ...

        def get_providers(self) -> list[str]:
            return ["CPUExecutionProvider"]

    monkeypatch.setattr("onnxruntime.InferenceSession", Session)
    monkeypatch.setattr(
        "onnxruntime.get_available_providers",
        lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"],
    )
    with pytest.raises(ProviderMissingError, match="no NVIDIA"):
        load(EngineOptions(folder=folders[0], provider="cuda", threads=1))


def test_onnxruntime_is_told_to_tell_nobody_before_it_is_imported() -> None:
    program = (
        "import os, sys\n"
        "from kausa_embedder.backends.onnx_session import available_providers\n"
        "assert 'onnxruntime' not in sys.modules\n"
        "available_providers()\n"
        "print(os.environ['ORT_DISABLE_TELEMETRY'])"
    )
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    said = subprocess.run(
        [sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True
    )
    assert said.stdout.strip() == "1"
