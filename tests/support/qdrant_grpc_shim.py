"""The same stand-in for a Qdrant server as `qdrant_shim`, spoken with over gRPC.

Real are the connection, protobuf, and what qdrant-client makes of both; the answers come from its
local mode. What a server refuses is left to the shim over HTTP. Requests are converted back by the
client's own converters, so a word that they lose on both ways is not noticed here.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc  # type: ignore[import-untyped]
from qdrant_client import AsyncQdrantClient, models
from qdrant_client import grpc as wire
from qdrant_client.conversions.conversion import GrpcToRest, RestToGrpc

__all__ = ["running_grpc_shim"]

Answer = Callable[[Any], Awaitable[Any]]
_DONE = models.UpdateResult(operation_id=1, status=models.UpdateStatus.COMPLETED)


class _Answers:
    """One answer for every method that our store calls."""

    def __init__(self, client: AsyncQdrantClient, *, version: str) -> None:
        self._client = client
        self._version = version
        self._indexes: dict[str, set[str]] = {}

    async def health(self, _asked: Any) -> Any:
        return wire.HealthCheckReply(title="qdrant", version=self._version)

    async def list_aliases(self, _asked: Any) -> Any:
        found = await self._client.get_aliases()
        aliases = [RestToGrpc.convert_alias_description(each) for each in found.aliases]
        return wire.ListAliasesResponse(aliases=aliases)

    async def update_aliases(self, asked: Any) -> Any:
        actions = [GrpcToRest.convert_alias_operations(each) for each in asked.actions]
        await self._client.update_collection_aliases(actions)
        return wire.CollectionOperationResponse(result=True)

    async def list_collections(self, _asked: Any) -> Any:
        found = await self._client.get_collections()
        named = [wire.CollectionDescription(name=each.name) for each in found.collections]
        return wire.ListCollectionsResponse(collections=named)

    async def get_collection(self, asked: Any) -> Any:
        found = await self._client.get_collection(asked.collection_name)
        found.payload_schema = {
            name: models.PayloadIndexInfo(data_type=models.PayloadSchemaType.KEYWORD, points=0)
            for name in self._indexes.get(asked.collection_name, ())
        }
        return wire.GetCollectionInfoResponse(result=RestToGrpc.convert_collection_info(found))

    async def create(self, asked: Any) -> Any:
        await self._client.create_collection(
            asked.collection_name,
            vectors_config=GrpcToRest.convert_vectors_config(asked.vectors_config),
            sparse_vectors_config=GrpcToRest.convert_sparse_vector_config(
                asked.sparse_vectors_config
            ),
            metadata=GrpcToRest.convert_payload(asked.metadata),
        )
        return wire.CollectionOperationResponse(result=True)

    async def update(self, _asked: Any) -> Any:
        return wire.CollectionOperationResponse(result=True)

    async def delete_collection(self, asked: Any) -> Any:
        await self._client.get_collection(asked.collection_name)
        await self._client.delete_collection(asked.collection_name)
        self._indexes.pop(asked.collection_name, None)
        return wire.CollectionOperationResponse(result=True)

    async def index(self, asked: Any) -> Any:
        await self._client.get_collection(asked.collection_name)
        self._indexes.setdefault(asked.collection_name, set()).add(asked.field_name)
        return _done()

    async def upsert(self, asked: Any) -> Any:
        points = [GrpcToRest.convert_point_struct(each) for each in asked.points]
        await self._client.upsert(asked.collection_name, points)
        return _done()

    async def get(self, asked: Any) -> Any:
        found = await self._client.retrieve(
            asked.collection_name,
            [GrpcToRest.convert_point_id(each) for each in asked.ids],
            with_payload=GrpcToRest.convert_with_payload_interface(asked.with_payload),
            with_vectors=GrpcToRest.convert_with_vectors_selector(asked.with_vectors),
        )
        return wire.GetResponse(result=[RestToGrpc.convert_retrieved_point(each) for each in found])

    async def scroll(self, asked: Any) -> Any:
        found, following = await self._client.scroll(
            asked.collection_name,
            scroll_filter=_filter(asked, "filter"),
            limit=asked.limit,
            offset=(
                GrpcToRest.convert_point_id(asked.offset) if asked.HasField("offset") else None
            ),
            with_payload=GrpcToRest.convert_with_payload_interface(asked.with_payload),
            with_vectors=GrpcToRest.convert_with_vectors_selector(asked.with_vectors),
        )
        return wire.ScrollResponse(
            result=[RestToGrpc.convert_retrieved_point(each) for each in found],
            next_page_offset=(
                RestToGrpc.convert_extended_point_id(following) if following is not None else None
            ),
        )

    async def count(self, asked: Any) -> Any:
        found = await self._client.count(asked.collection_name, _filter(asked, "filter"))
        return wire.CountResponse(result=RestToGrpc.convert_count_result(found))

    async def query(self, asked: Any) -> Any:
        requests = [GrpcToRest.convert_query_points(each) for each in asked.query_points]
        found = await self._client.query_batch_points(asked.collection_name, requests)
        return wire.QueryBatchResponse(
            result=[
                wire.BatchResult(
                    result=[RestToGrpc.convert_scored_point(hit) for hit in each.points]
                )
                for each in found
            ]
        )

    async def facet(self, asked: Any) -> Any:
        found = await self._client.facet(
            asked.collection_name, asked.key, _filter(asked, "filter"), limit=asked.limit
        )
        return wire.FacetResponse(
            hits=[RestToGrpc.convert_facet_value_hit(each) for each in found.hits]
        )

    async def set_payload(self, asked: Any) -> Any:
        await self._client.set_payload(
            asked.collection_name,
            payload=GrpcToRest.convert_payload(asked.payload),
            points=GrpcToRest.convert_points_selector(asked.points_selector),
        )
        return _done()

    async def delete(self, asked: Any) -> Any:
        selector = GrpcToRest.convert_points_selector(asked.points)
        await self._client.delete(asked.collection_name, selector)
        return _done()


@contextlib.asynccontextmanager
async def running_grpc_shim(*, version: str = "1.19.2") -> AsyncIterator[int]:
    """The port of a server that is there, and gone afterwards."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        client = AsyncQdrantClient(location=":memory:")
        generated: Any = wire
        answers = _Answers(client, version=version)
        server = grpc.aio.server()
        generated.add_QdrantServicer_to_server(
            _servicer(wire.QdrantServicer, HealthCheck=answers.health), server
        )
        generated.add_CollectionsServicer_to_server(
            _servicer(
                wire.CollectionsServicer,
                ListAliases=answers.list_aliases,
                UpdateAliases=answers.update_aliases,
                List=answers.list_collections,
                Get=answers.get_collection,
                Create=answers.create,
                Update=answers.update,
                Delete=answers.delete_collection,
            ),
            server,
        )
        generated.add_PointsServicer_to_server(
            _servicer(
                wire.PointsServicer,
                CreateFieldIndex=answers.index,
                Upsert=answers.upsert,
                Get=answers.get,
                Scroll=answers.scroll,
                Count=answers.count,
                QueryBatch=answers.query,
                Facet=answers.facet,
                SetPayload=answers.set_payload,
                Delete=answers.delete,
            ),
            server,
        )
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            yield port
        finally:
            await server.stop(grace=None)
            await client.close()


def _servicer(base: Any, **methods: Answer) -> Any:
    """A servicer of generated code with these methods."""
    made = {name: _answering(answer) for name, answer in methods.items()}
    return type(f"Shim{base.__name__}", (base,), made)()


def _answering(answer: Answer) -> Any:
    async def method(_servicer: Any, asked: Any, context: Any) -> Any:
        try:
            return await answer(asked)
        except (ValueError, KeyError) as error:
            words = str(error)
            code = grpc.StatusCode.INVALID_ARGUMENT
            if "not found" in words:
                code = grpc.StatusCode.NOT_FOUND
            elif "already exists" in words:
                code = grpc.StatusCode.ALREADY_EXISTS
            await context.abort(code, words)

    return method


def _filter(asked: Any, name: str) -> models.Filter | None:
    return GrpcToRest.convert_filter(getattr(asked, name)) if asked.HasField(name) else None


def _done() -> Any:
    return wire.PointsOperationResponse(result=RestToGrpc.convert_update_result(_DONE))
