"""An API server that only lists and streams, as fast as its client reads; a process of its own.

`POST /bench/begin` says what the next client gets, `GET /bench/account` what it got. A watch brings
one change, then a pause in which the client comes to rest, and then all the others at once. Like
the real one it sends every change as an HTTP chunk of its own; unlike it, many chunks go into one
write, so that its own speed is not what is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Iterator
from functools import partial

import msgspec
from aiohttp import web
from bench.watch.changes import KINDS, Template, listed, recorded, streamed

__all__ = ["PAUSE_SECONDS", "Account", "Scene", "application"]

PAUSE_SECONDS = 0.5
PAGE = 500
WRITE_BYTES = 128 * 1024
UNSENT_BYTES = 1024 * 1024
VERBS = ("get", "list", "watch", "patch", "create", "delete", "update")


class Scene(msgspec.Struct, kw_only=True):
    """What one client is to be sent."""

    kind: str = "pods"
    changes: int = 0
    """Of a watch, after the first one."""
    objects: int = 0
    """Of a list."""


class Account(msgspec.Struct, kw_only=True):
    """What the client asked for and was sent."""

    pages: int = 0
    objects: int = 0
    watches: int = 0
    changes: int = 0
    began: float = 0.0
    """When the changes after the first one began (time.monotonic, which processes share)."""


class _Stage:
    def __init__(self) -> None:
        self.templates = {name: recorded(kind) for name, kind in KINDS.items()}
        self.set(Scene())

    def set(self, scene: Scene) -> None:
        self.scene, self.account = scene, Account()
        changes = scene.changes + 1 if scene.changes else 0
        lines = streamed(self.templates[scene.kind], changes=changes)
        writes = list(_writes(lines)) if changes else [b""]
        self.first, self.writes = writes[0], writes[1:]


def _writes(lines: Iterator[bytes]) -> Iterator[bytes]:
    """HTTP chunks, a line in each, gathered into writes; the first line alone."""
    yield _http_chunk(next(lines))
    gathered = bytearray()
    for line in lines:
        gathered += _http_chunk(line)
        if len(gathered) >= WRITE_BYTES:
            yield bytes(gathered)
            gathered.clear()
    yield bytes(gathered)


def _http_chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def application() -> web.Application:
    """The server's routes."""
    stage = _Stage()
    app = web.Application()
    app.add_routes(
        [
            web.post("/bench/begin", partial(_begin, stage)),
            web.get("/bench/account", partial(_account, stage)),
            web.get("/api/v1/{plural:pods|events}", partial(_collection, stage)),
            web.get("/version", _version),
            web.get("/api", _api),
            web.get("/apis", _apis),
            web.get("/api/v1", _resources),
        ]
    )
    return app


async def _begin(stage: _Stage, request: web.Request) -> web.Response:
    stage.set(msgspec.json.decode(await request.read(), type=Scene))
    return web.Response()


async def _account(stage: _Stage, _: web.Request) -> web.Response:
    return _json(msgspec.json.encode(stage.account))


async def _collection(stage: _Stage, request: web.Request) -> web.StreamResponse:
    if request.query.get("watch", "").lower() in ("true", "1"):
        return await _watch(stage, request)
    return await _list(stage, request)


async def _watch(stage: _Stage, request: web.Request) -> web.StreamResponse:
    account = stage.account
    account.watches += 1
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    transport = request.transport
    if stage.first and transport is not None:
        transport.write(stage.first)
        await asyncio.sleep(PAUSE_SECONDS)
        account.began = time.monotonic()
        for write in stage.writes:
            while transport.get_write_buffer_size() > UNSENT_BYTES:
                await asyncio.sleep(0.0005)
            transport.write(write)
        account.changes += stage.scene.changes
    # A watch without changes stays open, until the client goes away.
    await asyncio.Event().wait()
    return response


async def _list(stage: _Stage, request: web.Request) -> web.StreamResponse:
    total, account = stage.scene.objects, stage.account
    start = int(request.query.get("continue") or 0)
    stop = min(total, start + int(request.query.get("limit") or total))
    token = b',"continue":"%d"' % stop if stop < total else b""
    kind = KINDS[stage.scene.kind].name.encode()
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(
        b'{"kind":"%sList","apiVersion":"v1","metadata":{"resourceVersion":"1"%s},"items":['
        % (kind, token)
    )
    templates = stage.templates[stage.scene.kind]
    for first in range(start, stop, PAGE):
        await response.write(_items(templates, start, first, min(stop, first + PAGE)))
    await response.write(b"]}")
    account.pages += 1
    account.objects += stop - start
    return response


def _items(templates: list[Template], start: int, first: int, last: int) -> bytes:
    comma = b"," if first > start else b""
    return comma + b",".join(listed(templates, start=first, stop=last))


def _json(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/json")


async def _version(_: web.Request) -> web.Response:
    return _json(b'{"major":"1","minor":"36","gitVersion":"v1.36.2"}')


async def _api(_: web.Request) -> web.Response:
    return _json(b'{"kind":"APIVersions","versions":["v1"]}')


async def _apis(_: web.Request) -> web.Response:
    return _json(b'{"kind":"APIGroupList","groups":[]}')


async def _resources(_: web.Request) -> web.Response:
    # Kopf waits until it has seen that there are namespaces; it never reads them here.
    resources = [
        {
            "name": plural,
            "singularName": kind.lower(),
            "namespaced": kind != "Namespace",
            "kind": kind,
            "verbs": VERBS,
        }
        for plural, kind in (("pods", "Pod"), ("events", "Event"), ("namespaces", "Namespace"))
    ]
    document = {"kind": "APIResourceList", "groupVersion": "v1", "resources": resources}
    return _json(msgspec.json.encode(document))


def main() -> None:
    """Serve on a free port, which is said on the first line, until stopped."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    asyncio.run(_serve())


async def _serve() -> None:
    runner = web.AppRunner(application(), access_log=None, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    main()
