"""Makes our own int8 model out of the packaged one: the same weights, twice as fast.

The packaged all-MiniLM-L6-v2 keeps its weights in int8, one scale a column, and widens them to
float before it multiplies. Here the multiplication itself is int8, with the very same weights: what
is quantised in addition are the activations, while the model runs. onnxruntime's own tool
(`quantize_dynamic`) takes one scale for all of a batch; then a text's vector depends on the texts
that happen to stand beside it (a cosine of 0.96 with itself at worst, measured) and one outlier
costs all others their precision. Here every token has a scale of its own: a text has the same
vector alone and among others, at 0.998 of the packaged model's on average.

The activations after GELU are never below -0.17. They are moved up by that and use all 256 steps;
what the shift adds is a constant for each column and is taken off in the bias.

Attention, GELU and layer norms are fused operators, the pooled vector is an output of its own, and
nothing of torch or of the `onnx` package is needed. The bytes are always the same.

    python hack/models/quantize.py PACKAGED.onnx OURS.onnx
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnx_file import FLOAT, INT32, INT64, Array, Graph, OnnxError, tensors

LAYERS, HEADS, WIDTH = 6, 12, 384
EPSILON = 1e-12
FUSED = "com.microsoft"
GELU_FLOOR = 0.17
SYMMETRIC = 128
"""The zero point of activations that may be negative."""
LICENCE = "Apache-2.0; weights of sentence-transformers/all-MiniLM-L6-v2"

Floats = NDArray[np.float32]


class Model:
    """The graph, layer by layer."""

    def __init__(self, packaged: dict[str, Array]) -> None:
        self.graph = Graph("all-MiniLM-L6-v2-w8a8")
        self._packaged = packaged
        names = [name for name in packaged if re.fullmatch(r"val_\d+_q", name)]
        # Numbered in the order in which the layers use them: query, key, value, output, up, down.
        self._matrices = sorted(names, key=lambda name: int(name.split("_")[1]))
        if len(self._matrices) != 6 * LAYERS:
            raise OnnxError(f"{len(self._matrices)} matrices, expected {6 * LAYERS}")

    def build(self) -> bytes:
        """The whole model as a file."""
        graph = self.graph
        graph.weight("first_axis", np.array([0], np.int64))
        graph.weight("second_axis", np.array([1], np.int64))
        graph.weight("smallest", np.array(1e-9, np.float32))
        graph.weight("one", np.array(1, np.float32))
        graph.run("Shape", ["input_ids"], "shape")
        graph.run("Cast", ["attention_mask"], "mask_int", to=INT32)
        hidden = self._embeddings()
        for layer in range(LAYERS):
            hidden = self._layer(layer, hidden)
        self._pool()
        return graph.save(
            inputs={name: (INT64, ["texts", "width"]) for name in ("input_ids", "attention_mask")},
            outputs={
                "last_hidden_state": (FLOAT, ["texts", "width", WIDTH]),
                "sentence_embedding": (FLOAT, ["texts", WIDTH]),
            },
            opsets={"": 18, FUSED: 1},
            ir_version=10,
            licence=LICENCE,
        )

    def _embeddings(self) -> str:
        graph = self.graph
        words = "embeddings.word_embeddings.weight"
        for part, name in (("_q", "words"), ("_scale", "word_scales")):
            graph.weight(name, self._of(words + part))
            graph.run("Gather", [name, "input_ids"], name + "_here")
        graph.run("Cast", ["words_here"], "words_float", to=FLOAT)
        graph.run("Mul", ["words_float", "word_scales_here"], "words_scaled")
        # One text alone: its type is 0 everywhere, so that belongs to the position.
        place = "embeddings.position_embeddings.weight"
        positions = self._floats(place + "_q") * self._floats(place + "_scale")
        positions = positions + self._floats("embeddings.token_type_embeddings.weight")[0]
        graph.weight("positions", positions.astype(np.float32))
        graph.run("Shape", ["input_ids"], "width", start=1, end=2)
        graph.run("Slice", ["positions", "first_axis", "width", "first_axis"], "positions_here")
        graph.run("Add", ["words_scaled", "positions_here"], "embedded")
        norm = [
            graph.weight(f"norm.{part}", self._of(f"embeddings.LayerNorm.{part}"))
            for part in ("weight", "bias")
        ]
        return graph.run(
            "LayerNormalization", ["embedded", *norm], "hidden", axis=-1, epsilon=EPSILON
        )

    def _layer(self, layer: int, hidden: str) -> str:
        graph, here, there = self.graph, f"{layer}.", f"encoder.layer.{layer}."
        bias = np.concatenate(
            [
                self._floats(f"{there}attention.self.{part}.bias")
                for part in ("query", "key", "value")
            ]
        )
        together, _ = self._multiply(hidden, here + "qkv", layer, [0, 1, 2])
        split = [here + "query", here + "key", here + "value"]
        graph.run("Split", [together], split, axis=-1, num_outputs=3)
        attended = graph.run(
            "MultiHeadAttention",
            [*split, graph.weight(here + "qkv.bias", bias), "mask_int"],
            here + "attended",
            domain=FUSED,
            num_heads=HEADS,
        )
        output, _ = self._multiply(attended, here + "output", layer, [3])
        hidden = self._add_and_norm(
            output,
            hidden,
            here + "middle",
            there + "attention.output",
            bias=self._floats(there + "attention.output.dense.bias"),
        )
        up, _ = self._multiply(hidden, here + "up", layer, [4])
        bias_up = graph.weight(here + "up.bias", self._of(there + "intermediate.dense.bias"))
        active = graph.run("BiasGelu", [up, bias_up], here + "active", domain=FUSED)
        down, moved = self._multiply(active, here + "down", layer, [5], moved_up=True)
        return self._add_and_norm(
            down,
            hidden,
            "last_hidden_state" if layer == LAYERS - 1 else here + "hidden",
            there + "output",
            bias=self._floats(there + "output.dense.bias") - moved,
        )

    def _multiply(
        self, given: str, name: str, layer: int, which: list[int], *, moved_up: bool = False
    ) -> tuple[str, Floats]:
        """int8 times int8, a scale for every token; and what moving up has added."""
        graph = self.graph
        names = [self._matrices[6 * layer + index] for index in which]
        matrix = np.concatenate([self._packaged[each] for each in names], axis=1)
        scales = np.concatenate(
            [self._packaged[each[:-2] + "_scale"].astype(np.float32).ravel() for each in names]
        )
        rows = graph.run(
            "Reshape",
            [given, graph.weight(name + ".rows", np.array([-1, len(matrix)], np.int64))],
            name + ".flat",
        )
        if moved_up:
            floor = graph.weight(name + ".floor", np.array(GELU_FLOOR, np.float32))
            rows = size = graph.run("Add", [rows, floor], name + ".moved")
            zero, steps = 0, 255
        else:
            size = graph.run("Abs", [rows], name + ".size")
            zero, steps = SYMMETRIC, 127
        graph.run("ReduceMax", [size, "second_axis"], name + ".most", keepdims=0)
        step = graph.weight(name + ".step", np.array(1 / steps, np.float32))
        graph.run("Mul", [name + ".most", step], name + ".scale_raw")
        graph.run("Max", [name + ".scale_raw", "smallest"], name + ".scale")
        graph.run("Shape", [name + ".scale"], name + ".count")
        one_zero = graph.weight(name + ".zero", np.array([zero], np.uint8))
        graph.run("Expand", [one_zero, name + ".count"], name + ".zeros")
        graph.run(
            "QuantizeLinear", [rows, name + ".scale", name + ".zeros"], name + ".int8", axis=0
        )
        graph.run(
            "MatMulIntegerToFloat",
            [
                name + ".int8",
                graph.weight(name + ".matrix", matrix),
                "one",
                graph.weight(name + ".scales", scales),
                graph.weight(name + ".zero_point", np.array(zero, np.uint8)),
                graph.weight(name + ".zero_points", np.zeros(len(scales), np.int8)),
            ],
            name + ".product",
            domain=FUSED,
        )
        graph.run("Unsqueeze", [name + ".scale", "second_axis"], name + ".scale_column")
        graph.run("Mul", [name + ".product", name + ".scale_column"], name + ".scaled")
        columns = graph.weight(name + ".columns", np.array([len(scales)], np.int64))
        graph.run("Concat", ["shape", columns], name + ".wanted", axis=0)
        graph.run("Reshape", [name + ".scaled", name + ".wanted"], name)
        # Whole numbers first: exact, and so the same on every machine.
        sums = matrix.astype(np.int64).sum(axis=0).astype(np.float64) * scales.astype(np.float64)
        moved = GELU_FLOOR * sums if moved_up else np.zeros_like(sums)
        return name, moved.astype(np.float32)

    def _add_and_norm(
        self, given: str, beside: str, output: str, there: str, *, bias: Floats
    ) -> str:
        graph = self.graph
        inputs = [given, beside]
        inputs += [
            graph.weight(f"{output}.norm.{part}", self._of(f"{there}.LayerNorm.{part}"))
            for part in ("weight", "bias")
        ]
        inputs.append(graph.weight(output + ".bias", bias))
        return graph.run("SkipLayerNormalization", inputs, output, domain=FUSED, epsilon=EPSILON)

    def _pool(self) -> None:
        graph = self.graph
        graph.run("Cast", ["attention_mask"], "mask_float", to=FLOAT)
        graph.run("Unsqueeze", ["mask_float", "second_axis"], "mask_row")
        graph.run("MatMul", ["mask_row", "last_hidden_state"], "summed_row")
        graph.run("Squeeze", ["summed_row", "second_axis"], "summed")
        graph.run("ReduceSum", ["mask_float", "second_axis"], "counted", keepdims=1)
        graph.run("Div", ["summed", "counted"], "sentence_embedding")

    def _of(self, name: str) -> Array:
        try:
            return self._packaged["inner." + name]
        except KeyError:
            raise OnnxError(f"the packaged model has no {name}") from None

    def _floats(self, name: str) -> Floats:
        return self._of(name).astype(np.float32)


def quantize(packaged: bytes) -> bytes:
    """Our model's file out of the packaged model's. Raises OnnxError."""
    return Model(tensors(packaged)).build()


if __name__ == "__main__":
    Path(sys.argv[2]).write_bytes(quantize(Path(sys.argv[1]).read_bytes()))
