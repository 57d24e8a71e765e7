"""The two lists of a hybrid query as requests of one batch (pure)."""

from __future__ import annotations

from qdrant_client import models

from kausa.memory.schema import (
    DENSE,
    MOST_CANDIDATES,
    SPARSE,
    check_sparse,
    packed_dense,
    within,
)
from kausa.memory.server.layout import search_params
from kausa.memory.server.passages import vector_of
from kausa.memory.server.settings import Tuning
from kausa.memory.store import HybridQuery

__all__ = ["requests_of"]


def requests_of(
    query: HybridQuery, *, where: models.Filter | None, dimensions: int, tuning: Tuning
) -> dict[str, models.QueryRequest]:
    """A request for each list that can name something, both filtered; scores stay as they are.

    Raises `InvalidRecordError`, and `MemoryUnavailableError` (`DimensionMismatch`).
    """
    limit = within(query.candidates, MOST_CANDIDATES)
    requests: dict[str, models.QueryRequest] = {}
    if query.dense is not None:
        packed_dense(query.dense, dimensions=dimensions)
        requests[DENSE] = models.QueryRequest(
            query=list(query.dense),
            using=DENSE,
            filter=where,
            params=search_params(exact=query.exact, tuning=tuning),
            limit=limit,
            with_payload=True,
        )
    if query.sparse is not None:
        check_sparse(query.sparse)
        if query.sparse.indices:
            requests[SPARSE] = models.QueryRequest(
                query=vector_of(query.sparse),
                using=SPARSE,
                filter=where,
                limit=limit,
                with_payload=True,
            )
    return requests
