"""What the shim of a Qdrant server answers: local mode's words, and what local mode leaves out.

Strict mode's limits, filters without an index, the length of vectors, lists of indexes, settings of
a collection, and snapshots, which are JSON here.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from pydantic import BaseModel, TypeAdapter
from qdrant_client import AsyncQdrantClient, models
from support.quick_clients import share_schemas

__all__ = ["QdrantAnswers", "RefusedError", "plain"]

share_schemas()


@dataclass(slots=True)
class Added:
    """What local mode does not keep of a collection."""

    create: dict[str, Any]
    indexes: dict[str, Any] = field(default_factory=dict)
    strict: models.StrictModeConfig | None = None
    quantization: Any = None
    snapshots: dict[str, bytes] = field(default_factory=dict)


class RefusedError(Exception):
    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


class QdrantAnswers:
    """Answers by request, from one local mode."""

    def __init__(self, *, version: str) -> None:
        self.version = version
        self.client = AsyncQdrantClient(location=":memory:")
        """The local mode behind, to look at what was really written."""
        self.added: dict[str, Added] = {}

    # -- collections -------------------------------------------------------------------------------

    async def root(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {"title": "qdrant - vector search engine", "version": self.version}
        )

    async def collections(self, _request: web.Request) -> Any:
        return await self.client.get_collections()

    async def aliases(self, _request: web.Request) -> Any:
        return await self.client.get_aliases()

    async def change_aliases(self, request: web.Request) -> bool:
        asked = await _body(request, models.ChangeAliasesOperation)
        return await self.client.update_collection_aliases(asked.actions)

    async def create(self, request: web.Request) -> bool:
        return await self._make(request.match_info["name"], await request.json())

    async def _make(self, name: str, body: dict[str, Any]) -> bool:
        asked = models.CreateCollection.model_validate(body)
        await self.client.create_collection(
            name,
            vectors_config=asked.vectors,
            sparse_vectors_config=asked.sparse_vectors,
            metadata=asked.metadata,
        )
        self.added[name] = Added(
            body, strict=asked.strict_mode_config, quantization=asked.quantization_config
        )
        return True

    async def update(self, request: web.Request) -> bool:
        name = await self._real(request)
        asked = await _body(request, models.UpdateCollection)
        kept = self.added[name]
        if asked.strict_mode_config is not None:
            kept.strict = asked.strict_mode_config
        if asked.quantization_config is not None:
            kept.quantization = asked.quantization_config
        if asked.vectors is not None:
            kept.create["vectors"] = {
                key: {**kept.create["vectors"][key], **changed.model_dump(exclude_none=True)}
                for key, changed in asked.vectors.items()
            }
        return await self.client.update_collection(name, metadata=asked.metadata)

    async def delete(self, request: web.Request) -> bool:
        name = request.match_info["name"]
        if name not in self.added:
            raise RefusedError(404, f"Not found: Collection `{name}` doesn't exist!")
        del self.added[name]
        return await self.client.delete_collection(name)

    async def info(self, request: web.Request) -> Any:
        name = await self._real(request)
        found = plain(await self.client.get_collection(name))
        kept = self.added[name]
        found["config"]["strict_mode_config"] = plain(kept.strict)
        found["config"]["quantization_config"] = plain(kept.quantization)
        found["config"]["params"]["vectors"] = kept.create["vectors"]
        found["payload_schema"] = {
            key: {
                "data_type": each if isinstance(each, str) else each["type"],
                **({} if isinstance(each, str) else {"params": each}),
                "points": found["points_count"],
            }
            for key, each in kept.indexes.items()
        }
        return found

    async def index(self, request: web.Request) -> Any:
        name = await self._real(request)
        asked = await request.json()
        models.CreateFieldIndex.model_validate(asked)
        self.added[name].indexes[asked["field_name"]] = asked["field_schema"]
        return _DONE

    # -- points ------------------------------------------------------------------------------------

    async def upsert(self, request: web.Request) -> Any:
        name = await self._real(request)
        asked = await _body(request, models.PointsList)
        self._at_most(name, "upsert_max_batchsize", len(asked.points))
        size = self.added[name].create["vectors"]["dense"]["size"]
        for point in asked.points:
            assert isinstance(point.vector, dict)
            self._dimensions(point.vector["dense"], size)
        await self.client.upsert(name, asked.points)
        return _DONE

    async def retrieve(self, request: web.Request) -> Any:
        name = await self._real(request)
        asked = await _body(request, models.PointRequest)
        return await self.client.retrieve(
            name,
            asked.ids,
            with_payload=asked.with_payload if asked.with_payload is not None else True,
            with_vectors=asked.with_vector if asked.with_vector is not None else False,
        )

    async def scroll(self, request: web.Request) -> Any:
        name = await self._real(request)
        asked = await _body(request, models.ScrollRequest)
        self._at_most(name, "max_query_limit", asked.limit or 10)
        self._indexed(name, asked.filter)
        points, following = await self.client.scroll(
            name,
            scroll_filter=asked.filter,
            limit=asked.limit or 10,
            offset=asked.offset,
            with_payload=asked.with_payload if asked.with_payload is not None else True,
            with_vectors=asked.with_vector if asked.with_vector is not None else False,
        )
        return {"points": [plain(each) for each in points], "next_page_offset": following}

    async def count(self, request: web.Request) -> Any:
        name = await self._real(request)
        asked = await _body(request, models.CountRequest)
        self._indexed(name, asked.filter)
        self._exact(name, asked.exact is not False)
        return await self.client.count(name, count_filter=asked.filter)

    async def query(self, request: web.Request) -> Any:
        name = await self._real(request)
        asked = await _body(request, models.QueryRequestBatch)
        self._at_most(name, "search_max_batchsize", len(asked.searches))
        size = self.added[name].create["vectors"]["dense"]["size"]
        for each in asked.searches:
            self._at_most(name, "max_query_limit", each.limit or 10)
            self._indexed(name, each.filter)
            if each.using == "dense":
                nearest = each.query
                if isinstance(nearest, models.NearestQuery):
                    nearest = nearest.nearest
                self._dimensions(nearest, size)
            if each.params is not None:
                self._exact(name, bool(each.params.exact))
                self._at_most(name, "search_max_hnsw_ef", each.params.hnsw_ef or 0)
            # Local mode warns of what it leaves out.
            each.params = None
        return await self.client.query_batch_points(name, asked.searches)

    async def facet(self, request: web.Request) -> Any:
        name = await self._real(request)
        asked = await _body(request, models.FacetRequest)
        if asked.key not in self.added[name].indexes:
            raise RefusedError(400, f"Wrong input: No appropriate index for faceting: {asked.key}")
        self._at_most(name, "max_query_limit", asked.limit or 10)
        self._indexed(name, asked.filter)
        return await self.client.facet(
            name, asked.key, facet_filter=asked.filter, limit=asked.limit or 10
        )

    async def set_payload(self, request: web.Request) -> Any:
        name = await self._real(request)
        asked = await _body(request, models.SetPayload)
        self._indexed(name, asked.filter)
        points: Any = asked.points
        if asked.filter is not None:
            points = models.FilterSelector(filter=asked.filter)
        await self.client.set_payload(name, payload=asked.payload, points=points)
        return _DONE

    async def delete_points(self, request: web.Request) -> Any:
        name = await self._real(request)
        asked = TypeAdapter(models.PointsSelector).validate_python(await request.json())
        if isinstance(asked, models.FilterSelector):
            self._indexed(name, asked.filter)
        await self.client.delete(name, asked)
        return _DONE

    # -- snapshots ---------------------------------------------------------------------------------

    async def make_snapshot(self, request: web.Request) -> Any:
        name = await self._real(request)
        points, _ = await self.client.scroll(
            name, limit=1_000_000, with_payload=True, with_vectors=True
        )
        kept = self.added[name]
        raw = json.dumps(
            {
                "create": kept.create,
                "indexes": kept.indexes,
                "points": [plain(each) for each in points],
            }
        ).encode()
        title = f"{name}-{uuid.uuid4()}.snapshot"
        kept.snapshots[title] = raw
        return {
            "name": title,
            "creation_time": "2026-01-01T00:00:00",
            "size": len(raw),
            "checksum": hashlib.sha256(raw).hexdigest(),
        }

    async def snapshot(self, request: web.Request) -> web.Response:
        return web.Response(body=self._snapshots(await self._real(request), request))

    async def delete_snapshot(self, request: web.Request) -> bool:
        name = await self._real(request)
        self._snapshots(name, request)
        del self.added[name].snapshots[request.match_info["snapshot"]]
        return True

    def _snapshots(self, name: str, request: web.Request) -> bytes:
        found = self.added[name].snapshots.get(request.match_info["snapshot"])
        if found is None:
            raise RefusedError(404, "Not found: Snapshot")
        return found

    async def upload_snapshot(self, request: web.Request) -> bool:
        name = request.match_info["name"]
        form = await request.post()
        file = form["snapshot"]
        assert isinstance(file, web.FileField)
        raw = file.file.read()
        wanted = request.query.get("checksum")
        if wanted and hashlib.sha256(raw).hexdigest() != wanted:
            raise RefusedError(400, "Bad request: Snapshot checksum mismatch")
        kept = json.loads(raw)
        if name in self.added:
            del self.added[name]
            await self.client.delete_collection(name)
        await self._make(name, kept["create"])
        self.added[name].indexes.update(kept["indexes"])
        points = [models.PointStruct.model_validate(each) for each in kept["points"]]
        if points:
            await self.client.upsert(name, points)
        return True

    # -- what a server refuses ---------------------------------------------------------------------

    async def _real(self, request: web.Request) -> str:
        """The collection that a name or an alias means."""
        name = request.match_info["name"]
        if name in self.added:
            return name
        for each in (await self.client.get_aliases()).aliases:
            if each.alias_name == name:
                return each.collection_name
        raise RefusedError(404, f"Not found: Collection `{name}` doesn't exist!")

    def _strict(self, name: str) -> models.StrictModeConfig | None:
        strict = self.added[name].strict
        return strict if strict is not None and strict.enabled else None

    def _at_most(self, name: str, limit: str, asked: int) -> None:
        strict = self._strict(name)
        most = getattr(strict, limit) if strict is not None else None
        if most is not None and asked > most:
            raise RefusedError(400, f"Bad request: Limit exceeded {asked} > {most} for {limit}")

    def _exact(self, name: str, asked: bool) -> None:
        strict = self._strict(name)
        if asked and strict is not None and strict.search_allow_exact is False:
            raise RefusedError(400, "Bad request: Exact search is disabled")

    def _indexed(self, name: str, where: models.Filter | None) -> None:
        if self._strict(name) is None:
            return
        for key in sorted(_keys(where)):
            if key not in self.added[name].indexes:
                raise RefusedError(400, f'Bad request: Index required but not found for "{key}"')

    def _dimensions(self, vector: Any, size: int) -> None:
        if len(vector) != size:
            words = f"expected dim: {size}, got {len(vector)}"
            raise RefusedError(400, f"Wrong input: Vector dimension error: {words}")


_DONE = {"operation_id": 1, "status": "completed"}


async def _body(request: web.Request, kind: type[Any]) -> Any:
    return kind.model_validate(await request.json())


def plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_none=True)
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value


def _keys(where: models.Filter | None) -> set[str]:
    if where is None:
        return set()
    found: set[str] = set()
    for conditions in (where.must, where.must_not, where.should):
        listed = conditions if isinstance(conditions, list) else [conditions]
        for each in listed:
            if isinstance(each, models.FieldCondition):
                found.add(each.key)
            elif isinstance(each, models.IsEmptyCondition):
                found.add(each.is_empty.key)
            elif isinstance(each, models.Filter):
                found |= _keys(each)
    return found
