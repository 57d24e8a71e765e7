"""Which device runs the model: what is there decides, unless a setting does.

Asking for CUDA where there is none is an error. onnxruntime itself would log a line and go on at a
tenth of the speed; that is allowed only to who says so.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from kausa_embedder.errors import ProviderMissingError

__all__ = ["ProviderChoice", "ProviderName", "choose", "onnx_name"]

ProviderName = Literal["cpu", "cuda"]
ProviderChoice = Literal["auto", "cpu", "cuda"]

_ONNX_NAMES: dict[ProviderName, str] = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
}


def onnx_name(provider: ProviderName) -> str:
    """What onnxruntime calls it."""
    return _ONNX_NAMES[provider]


def choose(
    wanted: ProviderChoice, *, available: Collection[ProviderName], fallback: bool = False
) -> ProviderName:
    """The device to use.

    `available` is what both the runtime was built for and the machine has. Raises
    ProviderMissingError where CUDA was asked for, is not there, and `fallback` is not allowed.
    """
    if wanted == "cuda" and "cuda" not in available and not fallback:
        raise ProviderMissingError(
            "CUDA was asked for and is not there: either this installation runs on CPUs only "
            "(install kausa[gpu] instead of kausa[embedder]), or this machine shows no NVIDIA "
            "device to the process. Choose the provider auto or cpu, or allow the fallback"
        )
    return "cuda" if wanted != "cpu" and "cuda" in available else "cpu"
