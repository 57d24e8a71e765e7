"""Whether an endpoint of OpenAI's shape lists a model, under whichever name it goes there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

__all__ = ["lists"]

_RESOURCE: Final = "models/"
"""Gemini lists resources, and is asked for them with or without this."""
_FILE: Final = ".gguf"
_TAG: Final = ":latest"
"""Ollama's, for a name without a tag."""
_LLAMA_CPP: Final = "llamacpp"


def lists(entries: Sequence[Mapping[str, Any]], name: str) -> bool:
    """Return whether the server would answer a question to the model of this name.

    A path is no other name of what it ends in (who serves `org/tiny` refuses `tiny`), except that
    of a file: llama.cpp lists the one that it was started with, and answers to any name. Raises
    what entries of another shape raise: `TypeError`, `LookupError`, `AttributeError`.
    """
    if any(name in _names(str(entry["id"])) for entry in entries):
        return True
    return len(entries) == 1 and entries[0].get("owned_by") == _LLAMA_CPP


def _names(listed: str) -> frozenset[str]:
    names = {listed, listed.removeprefix(_RESOURCE), listed.removesuffix(_TAG)}
    if listed.lower().endswith(_FILE):
        file = listed.replace("\\", "/").rsplit("/", 1)[-1]
        names |= {file, file[: -len(_FILE)]}
    return frozenset(names)
