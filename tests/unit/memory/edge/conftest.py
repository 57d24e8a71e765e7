"""Stores of the embedded backend, made once and copied, in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.edge_in_process import copy_folder, made_folder, quick_folder
from support.store_contract import SCHEMA


@pytest.fixture(scope="session")
def made() -> Iterator[Path]:
    """An empty store that nobody changes."""
    with quick_folder() as folder:
        yield made_folder(folder / "memory", SCHEMA)


@pytest.fixture
def quick() -> Iterator[Path]:
    """An empty folder for one test."""
    with quick_folder() as folder:
        yield folder


@pytest.fixture
def folder(made: Path, quick: Path) -> Path:
    """An empty store of `SCHEMA`, for one test."""
    return copy_folder(made, quick / "memory")
