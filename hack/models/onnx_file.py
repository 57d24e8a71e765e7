"""Reads and writes ONNX files: as much of the format as one small model needs.

An ONNX file is protobuf, and what is used of it fits on a page. The `onnx` package would be a
second megabyte-sized dependency of everyone who fetches the model, and its bytes differ from one
version to the next; these are always the same, so that what is written has a hash to be held to.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FLOAT, UINT8, INT8, INT32, INT64 = 1, 2, 3, 6, 7
TYPES = {FLOAT: "<f4", UINT8: "u1", INT8: "i1", INT32: "<i4", INT64: "<i8"}
CODES = {np.dtype(kind).str: code for code, kind in TYPES.items()}

Array = NDArray[np.generic]


class OnnxError(Exception):
    """A file that is not an ONNX model, or uses what this reader does not know."""


# Reading.


def tensors(content: bytes) -> dict[str, Array]:
    """The weights of a model, by name; those of other types than TYPES are left out."""
    found: dict[str, Array] = {}
    for number, graph in _fields(content):
        if number != 7:
            continue
        for kind, tensor in _fields(_bytes(graph)):
            if kind == 5 and (named := _tensor(_bytes(tensor))) is not None:
                found[named[0]] = named[1]
    if not found:
        raise OnnxError("no weights found: not an ONNX model")
    return found


def _tensor(content: bytes) -> tuple[str, Array] | None:
    dims: list[int] = []
    name, code, raw = "", 0, b""
    for number, value in _fields(content):
        if number == 1:
            dims += [value] if isinstance(value, int) else list(_varints(value))
        elif number == 2 and isinstance(value, int):
            code = value
        elif number == 8:
            name = _bytes(value).decode()
        elif number == 9:
            raw = _bytes(value)
    if code not in TYPES or not raw:
        return None
    return name, np.frombuffer(raw, dtype=TYPES[code]).reshape(dims)


def _fields(content: bytes) -> Iterator[tuple[int, int | bytes]]:
    place = 0
    while place < len(content):
        key, place = _varint(content, place)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, place = _varint(content, place)
            yield number, value
            continue
        if wire == 2:
            size, place = _varint(content, place)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise OnnxError(f"wire type {wire} at byte {place}: not an ONNX model")
        if place + size > len(content):
            raise OnnxError(f"cut off at byte {place}")
        yield number, content[place : place + size]
        place += size


def _varints(content: bytes) -> Iterator[int]:
    place = 0
    while place < len(content):
        value, place = _varint(content, place)
        yield value


def _varint(content: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if place >= len(content) or shift > 63:
            raise OnnxError(f"cut off at byte {place}")
        byte = content[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, place
        shift += 7


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise OnnxError("a number where bytes were expected: not an ONNX model")
    return value


# Writing.


@dataclass
class Graph:
    """A graph in the making: operators in the order in which they run."""

    name: str
    nodes: list[bytes] = field(default_factory=list)
    weights: dict[str, bytes] = field(default_factory=dict)

    def weight(self, name: str, value: Array) -> str:
        """Add a constant and return its name."""
        code = CODES[value.dtype.newbyteorder("<").str]
        dims = b"".join(_number(1, size) for size in value.shape)
        raw = np.ascontiguousarray(value).astype(TYPES[code], copy=False).tobytes()
        self.weights[name] = dims + _number(2, code) + _text(8, name) + _block(9, raw)
        return name

    def run(
        self,
        operator: str,
        inputs: Sequence[str],
        output: str | Sequence[str],
        *,
        domain: str = "",
        **attributes: int | float,
    ) -> str:
        """Add an operator and return the name of its (first) output."""
        outputs = [output] if isinstance(output, str) else list(output)
        content = b"".join(_text(1, name) for name in inputs)
        content += b"".join(_text(2, name) for name in outputs)
        content += _text(3, outputs[0]) + _text(4, operator)
        content += b"".join(_block(5, _attribute(*pair)) for pair in sorted(attributes.items()))
        self.nodes.append(content + (_text(7, domain) if domain else b""))
        return outputs[0]

    def save(
        self,
        *,
        inputs: Mapping[str, tuple[int, Sequence[str | int]]],
        outputs: Mapping[str, tuple[int, Sequence[str | int]]],
        opsets: Mapping[str, int],
        ir_version: int,
        licence: str,
    ) -> bytes:
        """The file. Inputs and outputs are types and shapes by name."""
        graph = b"".join(_block(1, node) for node in self.nodes) + _text(2, self.name)
        graph += b"".join(_block(5, weight) for weight in self.weights.values())
        graph += b"".join(_block(11, _value(name, *of)) for name, of in inputs.items())
        graph += b"".join(_block(12, _value(name, *of)) for name, of in outputs.items())
        model = _number(1, ir_version) + _text(2, "kausa") + _text(6, licence) + _block(7, graph)
        for domain, version in opsets.items():
            model += _block(8, _text(1, domain) + _number(2, version))
        return model


def _attribute(name: str, value: int | float) -> bytes:
    if isinstance(value, float):
        return _text(1, name) + bytes([2 << 3 | 5]) + struct.pack("<f", value) + _number(20, 1)
    return _text(1, name) + _number(3, value) + _number(20, 2)


def _value(name: str, code: int, shape: Sequence[str | int]) -> bytes:
    dims = b"".join(
        _block(1, _number(1, size) if isinstance(size, int) else _text(2, size)) for size in shape
    )
    return _text(1, name) + _block(2, _block(1, _number(1, code) + _block(2, dims)))


def _number(field_number: int, value: int) -> bytes:
    return _encode(field_number << 3) + _encode(value & 0xFFFFFFFFFFFFFFFF)


def _text(field_number: int, value: str) -> bytes:
    return _block(field_number, value.encode())


def _block(field_number: int, value: bytes) -> bytes:
    return _encode(field_number << 3 | 2) + _encode(len(value)) + value


def _encode(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
