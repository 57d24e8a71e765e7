"""A snapshot as an API server: a ReadingClient over objects that were read from files."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from kausa.cluster.client import REQUEST_TIMEOUT_SECONDS, Page
from kausa.cluster.errors import NotRecordedError, UndecodableError, api_error
from kausa.cluster.objects import ListMeta
from kausa.cluster.snapshot.selectors import field_selector, label_selector
from kausa.cluster.snapshot.store import ResourceUrl, Snapshot, parse_url

__all__ = ["SnapshotClient"]

T = TypeVar("T")
DEFAULT_LIMIT = 500
EVENTS = ("", "events")
ABOUT = "involvedObject.uid="


class SnapshotClient:
    """Answers as an API server would, and says where the files do not tell."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._wire: dict[int, msgspec.Raw] = {}

    async def get(
        self, path: str, *, kind: type[T], timeout_seconds: float = REQUEST_TIMEOUT_SECONDS
    ) -> T:
        """One object, decoded as `kind`.

        Raises:
            NotFoundError: it does not exist.
            NotRecordedError: the files do not tell whether it exists.
            UndecodableError: it is not of the shape that Kubernetes sends.
        """
        url = parse_url(path)
        if url is None:
            return _decode(self._discovery(path), kind, path)
        found = self._snapshot.get(url)
        if found is None:
            self._check_recorded(url)
            raise api_error(
                status=404, reason="NotFound", message=f'{url.resource[1]} "{url.name}" not found'
            )
        return _decode(found, kind, path)

    async def list_page(
        self,
        path: str,
        *,
        parameters: Mapping[str, str],
        timeout_seconds: float = REQUEST_TIMEOUT_SECONDS,
    ) -> Page:
        """One page of a collection.

        Raises:
            NotRecordedError: the files hold nothing of this kind.
        """
        url = parse_url(path)
        if url is None or url.name:
            raise api_error(status=404, reason="NotFound", message=f"{path} is no collection")
        found = self._selected(url, parameters)
        if not found:
            self._check_recorded(url)
        start = _number(parameters.get("continue", ""))
        end = start + (_number(parameters.get("limit", "")) or DEFAULT_LIMIT)
        return Page(
            metadata=ListMeta(resource_version="1", continue_=str(end) if end < len(found) else ""),
            items=tuple(self._encoded(each) for each in found[start:end]),
        )

    async def pod_log(
        self,
        *,
        namespace: str,
        pod: str,
        container: str,
        previous: bool,
        tail_lines: int | None = None,
        limit_bytes: int | None = None,
        timeout_seconds: float = REQUEST_TIMEOUT_SECONDS,
    ) -> AsyncGenerator[bytes, None]:
        """The chunks of a container's log; always from its beginning, whatever `tail_lines` is.

        Raises:
            NotFoundError: it is not in the files, for the reason `NotRecorded`; the message has the
                command that reads it.
        """
        chunks = self._snapshot.logs.chunks((namespace, pod, container, previous))
        if chunks is None:
            command = f"kubectl -n {namespace} logs {pod} -c {container}"
            command += " --previous" if previous else ""
            raise api_error(
                status=404,
                reason="NotRecorded",
                message=f"the log is not in these files: {command}",
            )
        left = limit_bytes
        for chunk in chunks:
            part = chunk if left is None else chunk[:left]
            if part:
                yield part
            if left is not None:
                left -= len(part)
                if left <= 0:
                    return

    def _selected(
        self, url: ResourceUrl, parameters: Mapping[str, str]
    ) -> Sequence[dict[str, Any]]:
        fields, labels = parameters.get("fieldSelector", ""), parameters.get("labelSelector", "")
        about = fields.removeprefix(ABOUT) if fields.startswith(ABOUT) else ""
        if about and "," not in about and url.resource == EVENTS:
            found, fields = self._snapshot.events_about(url, uid=about), ""
        else:
            found = self._snapshot.collection(url)
        for selector in (
            field_selector(fields) if fields else None,
            label_selector(labels) if labels else None,
        ):
            if selector is not None:
                found = [each for each in found if selector(each)]
        return found

    def _encoded(self, found: dict[str, Any]) -> msgspec.Raw:
        """As it goes over the wire; remembered, for a collection is listed for every failure."""
        key = id(found)  # uids of files may repeat, and the snapshot keeps its objects
        if key not in self._wire:
            self._wire[key] = msgspec.Raw(msgspec.json.encode(found))
        return self._wire[key]

    def _check_recorded(self, url: ResourceUrl) -> None:
        if not self._snapshot.coverage.tells(url.resource, namespace=url.namespace):
            where = f" of namespace {url.namespace}" if url.namespace else ""
            raise NotRecordedError(f"{url.resource[1]}{where} are not in the snapshot")

    def _discovery(self, path: str) -> dict[str, Any]:
        """The kinds of one group and version, as far as any object was recorded of them."""
        resources = []
        for each in self._snapshot.paths():
            root = each.collection().rpartition("/")[0]
            if root == path.rstrip("/"):
                resources.append(
                    {"name": each.plural, "kind": each.kind, "namespaced": each.namespaced}
                )
        if not resources:
            raise api_error(status=404, reason="NotFound", message=f"{path} is not served")
        return {"kind": "APIResourceList", "resources": resources}


def _decode(found: dict[str, Any], kind: type[T], path: str) -> T:
    try:
        return msgspec.convert(found, type=kind)
    except (msgspec.ValidationError, TypeError, RecursionError) as error:
        raise UndecodableError(f"{path}: {error}") from error


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0
