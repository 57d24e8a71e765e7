"""What a collection is made of, as requests: vectors, indexes, placement and its limits (pure).

Quantization and placement follow the collection's size. The limits are strict mode's: the server
refuses what none of our requests does, such as a filter without an index, so that a mistake is an
error at once and not a slow server later.
"""

from __future__ import annotations

from collections.abc import Collection as Names
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from qdrant_client import models

from kausa.memory.schema import DENSE, INDEXED_FIELDS, SPARSE, IndexedField
from kausa.memory.server.settings import Tuning
from kausa.memory.server.versions import PLACEMENT, ServerVersion
from kausa.memory.store import Collection, Predecessor, Schema

__all__ = [
    "LIMITS",
    "Plan",
    "creation",
    "index_of",
    "metadata_of",
    "missing_indexes",
    "plan_for",
    "predecessors_of",
    "schema_of",
    "search_params",
    "update",
]

_KEY = "kausa"
_OVERSAMPLING = 2.0
"""With quantized vectors twice as many are found, and scored again with whole ones."""

LIMITS = models.StrictModeConfig(
    enabled=True,
    max_query_limit=1000,
    max_timeout=60,
    unindexed_filtering_retrieve=False,
    unindexed_filtering_update=False,
    search_max_hnsw_ef=1024,
    # An exact count is an exact search to strict mode.
    search_allow_exact=True,
    search_max_oversampling=4.0,
    search_max_batchsize=16,
    upsert_max_batchsize=1000,
    filter_max_conditions=64,
    condition_max_size=1000,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the size of a collection asks for."""

    quantized: bool
    on_disk: bool


def plan_for(points: int, *, dimensions: int, tuning: Tuning) -> Plan:
    """Whether so many vectors are quantized, and whether whole ones stay on disk."""
    large = points * dimensions * 4 >= tuning.large_bytes
    quantized = tuning.quantization == "scalar" or (tuning.quantization == "auto" and large)
    on_disk = tuning.vectors == "disk" or (tuning.vectors == "auto" and large and quantized)
    return Plan(quantized=quantized, on_disk=on_disk)


def creation(
    schema: Schema,
    *,
    collection: Collection,
    plan: Plan,
    tuning: Tuning,
    version: ServerVersion,
) -> dict[str, Any]:
    """Arguments of `create_collection`, beside its name and replication."""
    return {
        "vectors_config": {DENSE: _dense(schema, plan=plan, version=version)},
        "sparse_vectors_config": {SPARSE: models.SparseVectorParams(modifier=models.Modifier.IDF)},
        "shard_number": 1,
        "hnsw_config": models.HnswConfigDiff(
            m=tuning.hnsw_m, ef_construct=tuning.hnsw_ef_construct
        ),
        "quantization_config": _scalar(version) if plan.quantized else None,
        "strict_mode_config": LIMITS,
        "metadata": metadata_of(schema, collection=collection),
        **_payload_on_disk(version),
    }


def update(found: models.CollectionInfo, *, plan: Plan, version: ServerVersion) -> dict[str, Any]:
    """Arguments of `update_collection` for what the plan asks for and is not so; empty if none."""
    changes: dict[str, Any] = {}
    if plan.quantized and found.config.quantization_config is None:
        changes["quantization_config"] = _scalar(version)
    vectors = found.config.params.vectors
    dense = vectors.get(DENSE) if isinstance(vectors, dict) else None
    if plan.on_disk and dense is not None and not _is_on_disk(dense):
        changes["vectors_config"] = {
            DENSE: models.VectorParamsDiff(memory=models.Memory.COLD)
            if version >= PLACEMENT
            else models.VectorParamsDiff(on_disk=True)
        }
    return changes


def search_params(*, exact: bool, tuning: Tuning) -> models.SearchParams:
    """How hard a dense search looks. Without quantized vectors the last part means nothing."""
    if exact:
        return models.SearchParams(
            exact=True, quantization=models.QuantizationSearchParams(ignore=True)
        )
    return models.SearchParams(
        hnsw_ef=tuning.hnsw_ef,
        quantization=models.QuantizationSearchParams(rescore=True, oversampling=_OVERSAMPLING),
    )


def missing_indexes(there: Names[str]) -> tuple[IndexedField, ...]:
    """The fields that must be indexed yet; the tenant's first, points are laid out by it."""
    return tuple(field for field in INDEXED_FIELDS if field.name not in there)


def index_of(field: IndexedField) -> models.PayloadSchemaType | models.KeywordIndexParams:
    """What `create_payload_index` takes for a field."""
    if field.kind == "integer":
        return models.PayloadSchemaType.INTEGER
    if field.kind == "datetime":
        return models.PayloadSchemaType.DATETIME
    if not field.tenant:
        return models.PayloadSchemaType.KEYWORD
    return models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True)


def metadata_of(
    schema: Schema, *, collection: Collection, predecessors: Sequence[Predecessor] = ()
) -> dict[str, Any]:
    """What is kept beside a collection, so that nobody has to guess it from a name."""
    kept: dict[str, Any] = {
        "collection": collection,
        "model": schema.model,
        "dimensions": schema.dimensions,
        "version": schema.version,
    }
    if predecessors:
        kept["predecessors"] = msgspec.to_builtins(list(predecessors))
    return {_KEY: kept}


def schema_of(found: models.CollectionInfo) -> Schema | None:
    """The schema of a collection; None where it is not one of ours."""
    kept = (found.config.metadata or {}).get(_KEY)
    if not isinstance(kept, dict):
        return None
    model, dimensions, version = (kept.get(key) for key in ("model", "dimensions", "version"))
    if not isinstance(model, str) or dimensions is None or version is None:
        return None
    return Schema(model=model, dimensions=int(dimensions), version=int(version))


def predecessors_of(found: models.CollectionInfo) -> tuple[Predecessor, ...]:
    """Whose place a collection's generation took, newest first."""
    kept = (found.config.metadata or {}).get(_KEY)
    told = kept.get("predecessors", ()) if isinstance(kept, dict) else ()
    try:
        # Over gRPC whole numbers come back with a fraction.
        return msgspec.convert(told, tuple[Predecessor, ...], strict=False)
    except msgspec.ValidationError:
        return ()


def _dense(schema: Schema, *, plan: Plan, version: ServerVersion) -> models.VectorParams:
    cosine = models.Distance.COSINE
    if version >= PLACEMENT:
        memory = models.Memory.COLD if plan.on_disk else models.Memory.CACHED
        return models.VectorParams(size=schema.dimensions, distance=cosine, memory=memory)
    return models.VectorParams(size=schema.dimensions, distance=cosine, on_disk=plan.on_disk)


def _is_on_disk(dense: models.VectorParams) -> bool:
    return dense.memory == models.Memory.COLD if dense.memory is not None else bool(dense.on_disk)


def _scalar(version: ServerVersion) -> models.ScalarQuantization:
    int8 = models.ScalarType.INT8
    if version >= PLACEMENT:
        pinned = models.Memory.PINNED
        return models.ScalarQuantization(
            scalar=models.ScalarQuantizationConfig(type=int8, quantile=0.99, memory=pinned)
        )
    return models.ScalarQuantization(
        scalar=models.ScalarQuantizationConfig(type=int8, quantile=0.99, always_ram=True)
    )


def _payload_on_disk(version: ServerVersion) -> dict[str, Any]:
    """What is filtered by is in indexes; the rest is read for the few points that are shown."""
    if version >= PLACEMENT:
        return {"payload": models.PayloadStorageParams(memory=models.Memory.COLD)}
    return {"on_disk_payload": True}
