"""Clients of qdrant-client that are made in no time, in tests only.

Each client copies the schemas of all models that an embedder of its own could read, which takes
five milliseconds and is never used here. A test makes several clients.
"""

from __future__ import annotations

from typing import TypeVar

from qdrant_client.embed import schema_parser

__all__ = ["share_schemas"]

T = TypeVar("T")


def share_schemas() -> None:
    """From now on all clients of this process read the same ones."""
    schema_parser.deepcopy = _itself  # type: ignore[assignment, attr-defined]


def _itself(schemas: T) -> T:
    return schemas
