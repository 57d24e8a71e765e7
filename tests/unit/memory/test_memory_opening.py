from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from kausa.errors import SettingsError
from kausa.memory.chunking.tokens import ChunkSize
from kausa.memory.edge.client import EdgeStore
from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.filters import EVERYTHING
from kausa.memory.opening import chunk_size, embedder_choice, open_memory, open_store
from kausa.memory.server.store import ServerStore
from kausa.settings import Settings


def settings(tmp_path: Path, **given: Any) -> Settings:
    return Settings.from_environment(memory_path=tmp_path / "memory", **given)


async def test_the_embedded_memory_needs_no_setting(tmp_path: Path) -> None:
    memory = open_memory(settings(tmp_path))
    assert isinstance(memory.store, EdgeStore)
    assert os.listdir(tmp_path) == []
    await memory.close()


async def test_a_server_is_reached_as_the_settings_say(tmp_path: Path) -> None:
    store = open_store(
        settings(
            tmp_path,
            memory_store="server",
            memory_url="http://qdrant:6333",
            memory_prefix="team_a",
            cluster_name="prod-eu",
            memory_replication_factor=3,
            memory_write_consistency_factor=2,
            memory_backups="scroll",
        )
    )
    assert isinstance(store, ServerStore)
    asked = store._settings
    assert (asked.prefix, asked.backups) == ("team_a", "scroll")
    assert (asked.replication_factor, asked.write_consistency_factor) == (3, 2)
    await store.close()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"memory_store": "server", "cluster_name": "prod-eu"}, "KAUSA_MEMORY_URL"),
        ({"memory_store": "server", "memory_url": "http://q:1"}, "KAUSA_CLUSTER_NAME"),
        ({"memory_url": "http://qdrant:6333"}, "KAUSA_MEMORY_STORE"),
        (
            {
                "memory_store": "server",
                "memory_url": "http://q:1",
                "memory_prefix": "Not Ours",
                "cluster_name": "prod-eu",
            },
            "Not Ours",
        ),
        (
            {
                "memory_store": "server",
                "memory_url": "http://q:1",
                "cluster_name": "prod-eu",
                "memory_write_consistency_factor": 2,
            },
            "KAUSA_MEMORY_WRITE_CONSISTENCY_FACTOR",
        ),
        ({"embedder": "http"}, "http"),
        ({"embedder_url": "http://embedder:8080"}, "KAUSA_EMBEDDER is in-process"),
        ({"memory_chunk_tokens": 64, "memory_chunk_overlap": 60}, "KAUSA_MEMORY_CHUNK_OVERLAP"),
    ],
)
def test_what_does_not_go_together_is_said(
    tmp_path: Path, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        open_memory(settings(tmp_path, **given))


def test_the_embedder_is_the_one_that_is_set(tmp_path: Path) -> None:
    choice = embedder_choice(
        settings(
            tmp_path,
            embedder="openai",
            embedder_url="http://tei:8080",
            embedder_token=SecretStr("a-token"),
            embedder_model="bge",
        )
    )
    assert (choice.kind, choice.url, choice.model) == ("openai", "http://tei:8080/", "bge")
    assert choice.token is not None
    assert "a-token" not in repr(choice)


def test_passages_are_as_long_as_is_set(tmp_path: Path) -> None:
    assert chunk_size(settings(tmp_path)) == ChunkSize(tokens=512, overlap=50)
    assert chunk_size(settings(tmp_path, memory_chunk_tokens=256)).tokens == 256


async def test_who_asked_what_is_written_where_that_is_set(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    memory = open_memory(settings(tmp_path, memory_audit="file", memory_audit_path=path))
    with contextlib.suppress(MemoryUnavailableError):
        await memory.store.count("failures", where=EVERYTHING, deadline_seconds=0.001)
    await memory.close()
    assert '"count"' in path.read_text()


async def test_the_embedded_memory_keeps_as_many_points_as_are_set_and_counts_the_rest(
    tmp_path: Path,
) -> None:
    memory = open_memory(settings(tmp_path, memory_most_points=2000))
    assert isinstance(memory.store, EdgeStore)
    assert memory.store._most_points == 2000
    memory.store._on_trimmed(3)
    memory.store._on_trimmed(4)
    assert memory.passages_trimmed == 7
    await memory.close()
