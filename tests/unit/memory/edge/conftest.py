"""Stores of the embedded backend, made once and copied, in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.edge_in_process import copy_folder, made_folder, quick_folder
from support.store_contract import SCHEMA

SLOW_HERE = frozenset(
    {
        "test_a_backup_brings_back_exactly_what_was_there",
        "test_a_backup_goes_into_a_store_that_is_empty_or_of_another_model",
        "test_candidates_are_what_brute_force_finds",
        "test_a_damaged_backup_touches_nothing",
        "test_a_half_filled_generation_is_found_again",
        "test_a_switch_outlives_a_restart",
        "test_vectors_of_something_else_are_refused_and_nothing_is_changed",
        "test_what_is_no_backup_touches_nothing",
    }
)
"""Of what every store promises: they open several generations, each a quarter of a second, or
compare with brute force, which the other backend's stores do within `make unit`."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Only here: over another backend the same tests are quick."""
    if getattr(item, "originalname", "") in SLOW_HERE:
        item.add_marker(pytest.mark.slow)


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
