"""What our writer of ONNX files writes, onnxruntime runs, and our reader reads back."""

from __future__ import annotations

import contextlib
import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

FOLDER = Path(__file__).resolve().parents[3] / "hack" / "models"


@pytest.fixture(scope="module")
def onnx_file() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        return importlib.import_module("onnx_file")


def scaled(onnx_file: ModuleType, factor: NDArray[np.float32]) -> bytes:
    graph = onnx_file.Graph("scale")
    graph.weight("factor", factor)
    graph.run("Mul", ["given", "factor"], "scaled")
    graph.run("LeakyRelu", ["scaled"], "answer", alpha=0.5)
    shape = (onnx_file.FLOAT, ["n", len(factor)])
    content: bytes = graph.save(
        inputs={"given": shape},
        outputs={"answer": shape},
        opsets={"": 17},
        ir_version=8,
        licence="",
    )
    return content


def test_onnxruntime_runs_what_was_written(onnx_file: ModuleType) -> None:
    content = scaled(onnx_file, np.array([2.0, 3.0], dtype=np.float32))
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    [answer] = session.run(None, {"given": np.array([[1, 1], [-1, 2]], dtype=np.float32)})
    np.testing.assert_allclose(answer, [[2, 3], [-1, 6]])


def test_what_was_written_is_read_back_and_always_the_same(onnx_file: ModuleType) -> None:
    factor = np.arange(300, dtype=np.float32)
    content = scaled(onnx_file, factor)
    np.testing.assert_array_equal(onnx_file.tensors(content)["factor"], factor)
    assert content == scaled(onnx_file, factor)


@given(st.integers(0, 400), st.binary(max_size=8))
def test_a_file_that_is_no_model_is_an_error_and_nothing_else(cut: int, junk: bytes) -> None:
    module = importlib.import_module("onnx_file")
    content = scaled(module, np.arange(90, dtype=np.float32))
    for broken in (junk, content[:cut], junk + content):
        # A name that is no UTF-8 and a shape that does not fit are ValueErrors.
        with contextlib.suppress(module.OnnxError, ValueError):
            module.tensors(broken)
