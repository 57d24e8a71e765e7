"""How a Qdrant server is reached, and how the collections in it are made."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from kausa.errors import SettingsError

__all__ = ["ServerSettings", "Tuning"]

_PREFIX = re.compile(r"[a-z0-9]([a-z0-9_-]{0,39})")
_SCHEMES = ("http://", "https://")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What a collection costs and gives. `auto` decides by its size, when it is opened.

    A collection grows slowly, so what is decided at an opening is right until the next; what `auto`
    once turned on it never turns off.
    """

    quantization: Literal["auto", "none", "scalar"] = "auto"
    """`scalar` keeps every number of a vector in a byte (a quarter of the memory), always in
    memory, and scores the best again with the whole vectors."""
    vectors: Literal["auto", "memory", "disk"] = "auto"
    """Where whole vectors are. From disk only the best of each search are read, if quantized."""
    large_bytes: int = 1536 * 1024 * 1024
    """`auto` takes a collection as large when its vectors have more bytes: a million of 384
    dimensions. Below, quantization gains little and costs a little of the order."""
    hnsw_m: int = 16
    """Links of a vector in the graph: more is more exact, and more memory."""
    hnsw_ef_construct: int = 100
    """How hard the builder of the graph looks."""
    hnsw_ef: int = 128
    """How hard a search looks; at 100,000 vectors 0.992 of the true ten were found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """A Qdrant server of version 1.17 or later."""

    url: str
    """Of its REST port, http or https; a path in it is a prefix, as behind a gateway."""
    api_key: SecretStr | None = None
    """A key or a JWT that may read and write our collections, and make them."""
    grpc: bool = False
    """Speak gRPC for points. Backups go over REST all the same."""
    grpc_port: int = 6334
    ca_file: Path | None = None
    """Whom to trust, instead of the authorities of this machine."""
    client_certificate: Path | None = None
    client_key: Path | None = None
    verify: bool = True
    """False takes any certificate: whoever sits between reads everything. REST only."""
    prefix: str = "kausa"
    """Of every name in the server: two installations in one server need two."""
    replication_factor: int = 1
    """Of new collections; 2 or 3 with as many nodes. The number of shards is always 1: at up to
    some million records more of them cost and give nothing."""
    write_consistency_factor: int = 1
    """How many replicas must have a write before it counts."""
    backups: Literal["snapshot", "scroll"] = "snapshot"
    """`snapshot` lets the server pack, which is fast and exact. `scroll` reads point after point:
    for a cluster whose address leads to another node each time, and where there are none."""
    tuning: Tuning = field(default_factory=Tuning)

    def __post_init__(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            SettingsError: which, and what to do.
        """
        if not self.url.startswith(_SCHEMES):
            raise SettingsError(
                f"The address of the Qdrant server, {self.url!r}, must begin with http:// or "
                "https://."
            )
        if not _PREFIX.fullmatch(self.prefix):
            raise SettingsError(
                f"The prefix {self.prefix!r} of names in the Qdrant server must be 1 to 40 of "
                "a-z, 0-9, _ and -, and begin with a letter or digit."
            )
        if (self.client_certificate is None) != (self.client_key is None):
            raise SettingsError(
                "A client certificate for the Qdrant server needs its key, and a key its "
                "certificate: only one of the two is set."
            )
        if self.grpc and not self.verify:
            raise SettingsError(
                "gRPC cannot be told to take any certificate. Name the server's authority as CA "
                "file, or turn gRPC off."
            )
        if self.replication_factor < 1 or self.write_consistency_factor < 1:
            raise SettingsError("Replication and write consistency are at least 1.")
        if self.write_consistency_factor > self.replication_factor:
            raise SettingsError(
                f"{self.write_consistency_factor} replicas cannot confirm a write where there are "
                f"{self.replication_factor}: lower KAUSA_MEMORY_WRITE_CONSISTENCY_FACTOR, or raise "
                "KAUSA_MEMORY_REPLICATION_FACTOR."
            )

    @property
    def encrypted(self) -> bool:
        """Whether the address asks for TLS."""
        return self.url.startswith("https://")
