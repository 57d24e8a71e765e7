"""From settings to a memory: which store, which embedder, how long its passages are.

What is not used is not imported: an operator with a server needs no Edge worker, one with a remote
embedder no model.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kausa.errors import SettingsError
from kausa.memory.audit import AuditedStore, AuditFile, log_entry
from kausa.memory.chunking.tokens import ChunkSize
from kausa.memory.embedding.choosing import EmbedderChoice, choose_embedder
from kausa.memory.service import FailureMemory
from kausa.memory.store import VectorStore
from kausa.memory.waiting import OnWaiting, nobody
from kausa.settings import DEFAULT_CLUSTER_NAME, Settings

__all__ = [
    "audited",
    "check_cluster_name",
    "chunk_size",
    "embedder_choice",
    "open_embedded_memory",
    "open_memory",
    "open_store",
]


def open_memory(settings: Settings, *, on_waiting: OnWaiting = nobody) -> FailureMemory:
    """The memory that the settings ask for. Nothing is loaded, connected or made yet.

    `on_waiting` is told while a call waits for an embedder or a server that is away.

    Raises:
        SettingsError: what is set does not go together.
    """
    check_cluster_name(settings)

    def trimmed(passages: int) -> None:
        memory.passages_trimmed += passages

    memory = FailureMemory(
        embedder=choose_embedder(embedder_choice(settings, on_waiting=on_waiting)),
        store=audited(open_store(settings, on_trimmed=trimmed, on_waiting=on_waiting), settings),
        size=chunk_size(settings),
    )
    return memory


def check_cluster_name(settings: Settings) -> None:
    """Refuse what ends another cluster's failures: two of one name in one server.

    Raises:
        SettingsError: the store is a server, and nobody has named the cluster.
    """
    if settings.memory_store == "server" and settings.cluster_name == DEFAULT_CLUSTER_NAME:
        raise SettingsError(
            f"KAUSA_MEMORY_STORE is server, and KAUSA_CLUSTER_NAME is {DEFAULT_CLUSTER_NAME!r}, "
            "which every cluster is called that nobody named. Two clusters of one name in one "
            "server take each other's failures for their own and end them. Set KAUSA_CLUSTER_NAME "
            "to a name that no other cluster in this server has, for example prod-eu."
        )


def audited(store: VectorStore, settings: Settings) -> VectorStore:
    """The store, telling of every call where the settings want that."""
    if settings.memory_audit == "off":
        return store
    sink = log_entry if settings.memory_audit == "log" else AuditFile(settings.memory_audit_path)
    return AuditedStore(store, sinks=(sink,))


def open_embedded_memory(*, folder: Path, model_path: Path | None = None) -> FailureMemory:
    """The memory that needs no other service: the model in this process, Edge in a worker.

    `folder` belongs to one process at a time. Without `model_path` the model is looked for where
    `make embedded-models` puts it.
    """
    from kausa.memory.edge.client import EdgeStore

    return FailureMemory(
        embedder=choose_embedder(EmbedderChoice(model_path=model_path)),
        store=EdgeStore(folder=folder),
    )


def open_store(
    settings: Settings,
    *,
    on_trimmed: Callable[[int], None] = lambda _: None,
    on_waiting: OnWaiting = nobody,
) -> VectorStore:
    """The store alone, for commands that need no model; it tells no audit of anything.

    `on_trimmed`: told how many points the embedded store took out because they were too many.
    `on_waiting`: told while a call waits for a server that is away.

    Raises:
        SettingsError: what is set does not go together.
    """
    if settings.memory_store == "embedded":
        if settings.memory_url is not None:
            raise SettingsError(
                "KAUSA_MEMORY_URL is set, and KAUSA_MEMORY_STORE is embedded: set it to server, or "
                "leave the address out."
            )
        from kausa.memory.edge.client import EdgeStore

        return EdgeStore(
            folder=settings.memory_path,
            most_points=settings.memory_most_points,
            on_trimmed=on_trimmed,
        )
    if settings.memory_url is None:
        raise SettingsError(
            "KAUSA_MEMORY_STORE is server, and KAUSA_MEMORY_URL is not set: set it, for example to "
            "http://qdrant:6333."
        )
    try:
        from kausa.memory.server.connecting import connect
        from kausa.memory.server.settings import ServerSettings, Tuning
    except ImportError as error:
        raise SettingsError(
            f"The client of a Qdrant server is not installed ({error}): install kausa[qdrant]."
        ) from error
    return connect(
        ServerSettings(
            url=str(settings.memory_url),
            api_key=settings.memory_api_key,
            grpc=settings.memory_grpc,
            grpc_port=settings.memory_grpc_port,
            ca_file=settings.memory_ca_file,
            client_certificate=settings.memory_cert_file,
            client_key=settings.memory_key_file,
            verify=settings.memory_verify,
            prefix=settings.memory_prefix,
            replication_factor=settings.memory_replication_factor,
            write_consistency_factor=settings.memory_write_consistency_factor,
            backups=settings.memory_backups,
            tuning=Tuning(
                quantization=settings.memory_quantization, vectors=settings.memory_vectors
            ),
        ),
        on_waiting=on_waiting,
    )


def embedder_choice(settings: Settings, *, on_waiting: OnWaiting = nobody) -> EmbedderChoice:
    """What the settings say of the embedder; `on_waiting` is told while it is waited for."""
    return EmbedderChoice(
        kind=settings.embedder,
        model_path=settings.embedder_model_path if settings.embedder == "in-process" else None,
        url=str(settings.embedder_url) if settings.embedder_url is not None else None,
        token=settings.embedder_token,
        ca_file=settings.embedder_ca_file,
        cert_file=settings.embedder_cert_file,
        key_file=settings.embedder_key_file,
        hedge_after_seconds=settings.embedder_hedge_seconds,
        model=settings.embedder_model,
        query_prefix=settings.embedder_query_prefix,
        passage_prefix=settings.embedder_passage_prefix,
        on_waiting=on_waiting,
    )


def chunk_size(settings: Settings) -> ChunkSize:
    """How texts are cut.

    Raises:
        SettingsError: the overlap is more than half of a passage.
    """
    try:
        return ChunkSize(tokens=settings.memory_chunk_tokens, overlap=settings.memory_chunk_overlap)
    except ValueError as error:
        raise SettingsError(f"KAUSA_MEMORY_CHUNK_OVERLAP: {error}.") from error
