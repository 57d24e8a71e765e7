"""Where the memory is, how long it keeps what, and how texts are cut for it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings

from kausa.settings.surroundings import default_state_folder
from kausa.settings.values import HeaderSecret, ServerUrl

__all__ = ["MemorySettings"]


class MemorySettings(BaseSettings):
    """The store of what failed before, in a folder or in a Qdrant server."""

    memory_enabled: bool = True
    """False runs on rules alone; every resource says so in its condition MemoryRecalled."""

    memory_store: Literal["embedded", "server"] = "embedded"
    """`embedded` keeps records in a folder of this machine, `server` in a Qdrant server."""

    memory_path: Path = Field(default_factory=lambda: default_state_folder() / "memory")
    """The folder of the embedded vector store; one operator process owns it at a time."""

    memory_most_points: Annotated[int, Field(ge=1000, le=10_000_000)] = 300_000
    """embedded: passages of failures and rollouts that are kept. Of more, those go whose end nobody
    saw, last seen the longest ago, then the oldest; a log line and a metric say how many."""

    memory_url: ServerUrl | None = None
    """The Qdrant server's REST address, such as https://qdrant.example:6333."""

    memory_api_key: HeaderSecret | None = None
    """A key or a JWT of the Qdrant server that may read, write and make our collections."""

    memory_grpc: bool = False
    """True speaks gRPC with the server for points."""

    memory_grpc_port: Annotated[int, Field(ge=1, le=65_535)] = 6334
    """The server's gRPC port."""

    memory_ca_file: Path | None = None
    """Whom to trust for the server, instead of the authorities of this machine."""

    memory_cert_file: Path | None = None
    """A client certificate for the server, where it wants one; with `memory_key_file`."""

    memory_key_file: Path | None = None
    """The key of that certificate."""

    memory_verify: bool = True
    """False takes any certificate of the server: whoever sits between reads everything."""

    memory_prefix: Annotated[str, Field(min_length=1, max_length=40)] = "kausa"
    """Of every name in the server: two installations in one server need two."""

    memory_replication_factor: Annotated[int, Field(ge=1, le=16)] = 1
    """How many copies the server keeps of new collections."""

    memory_write_consistency_factor: Annotated[int, Field(ge=1, le=16)] = 1
    """How many of the copies must have a write before it counts; at most as many as there are."""

    memory_backups: Literal["snapshot", "scroll"] = "snapshot"
    """server: `snapshot` lets the server pack; `scroll` reads point after point, for a server whose
    address leads to another node each time, or that refuses snapshots."""

    memory_quantization: Literal["auto", "none", "scalar"] = "auto"
    """`scalar` keeps vectors in a quarter of the memory; `auto` does so in large collections."""

    memory_vectors: Literal["auto", "memory", "disk"] = "auto"
    """Where the server keeps whole vectors; `auto` decides by the collection's size."""

    memory_migrate: bool = False
    """True embeds everything anew by itself when the embedding model is another than before. False
    goes on without memory, says ModelMismatch, and leaves it to `kausa memory migrate`."""

    memory_keep_days: Annotated[float, Field(ge=0, le=36_500)] = 365.0
    """Records that were last seen longer ago are forgotten, in a quiet hour; 0 keeps them."""

    memory_keep_open_days: Annotated[float, Field(ge=0, le=36_500)] = 90.0
    """The same of failures whose end nobody saw, which teach less; 0 keeps them."""

    memory_audit: Literal["off", "log", "file"] = "off"
    """Tells of every call of the store who asked what, never a text: as lines of the log, or as
    lines of JSON in `memory_audit_path`."""

    memory_audit_path: Path = Field(
        default_factory=lambda: default_state_folder() / "memory-audit.jsonl"
    )
    """Of at most 16 MiB; five older ones are kept."""

    memory_chunk_tokens: Annotated[int, Field(ge=32, le=8192)] = 512
    """How long a passage of a long text is, by an estimate; never longer than the embedding model
    reads, where it says how much that is (the built-in one 256)."""

    memory_chunk_overlap: Annotated[int, Field(ge=0, le=1024)] = 50
    """How much of a passage the next one repeats, in tokens; at most half of a passage."""
