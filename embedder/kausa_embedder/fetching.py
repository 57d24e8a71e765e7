"""Fetches a model's files once, into its folder in the cache.

A file is written beside its place, hashed, and moved there in one step: whoever finds it finds all
of it, and a fetch that was killed goes on where it stopped. What has another hash than the pinned
one is thrown away and never loaded. A model whose files are not pinned is not fetched here at all.
"""

from __future__ import annotations

import http.client
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from kausa_embedder.checking import sha256_of
from kausa_embedder.errors import ChecksumError, ModelMissingError
from kausa_embedder.models import ModelFile, ModelSpec

__all__ = ["HUB", "Progress", "fetch"]

HUB = "https://huggingface.co"
"""Where models are published; `HF_ENDPOINT` names a mirror."""
ATTEMPTS = 5
CHUNK_BYTES = 1 << 20
TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a file is."""

    file: str
    done_bytes: int
    total_bytes: int
    """0 where the server does not say."""


class _Reply(Protocol):
    status: int
    headers: http.client.HTTPMessage

    def read(self, size: int, /) -> bytes: ...
    def close(self) -> None: ...


def fetch(
    spec: ModelSpec,
    folder: Path,
    *,
    hub: str | None = None,
    report: Callable[[Progress], None] = lambda progress: None,
    sleep: Callable[[float], None] = time.sleep,
) -> list[str]:
    """Bring every file that is not there yet, and answer their names. Blocks; for a thread.

    Raises ModelMissingError where the network does not give them, ChecksumError where it gives
    others.
    """
    if not (spec.repository and spec.revision and spec.files):
        raise ModelMissingError(
            f"the files of {spec.name} are not pinned, so they are not fetched: put the model into "
            f"{folder} (for example with `hf download {spec.repository or spec.name} --local-dir`)"
        )
    base = (hub or os.environ.get("HF_ENDPOINT") or HUB).rstrip("/")
    fetched = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in spec.files:
            place = folder / file.name
            if place.is_file() and sha256_of(place) == file.sha256:
                continue
            url = f"{base}/{spec.repository}/resolve/{spec.revision}/{file.path or file.name}"
            _fetch_one(url, file, place, report=report, sleep=sleep)
            fetched.append(file.name)
    except OSError as error:
        raise ModelMissingError(
            f"{spec.name} cannot be written to {folder}: {error}. Is the volume full or read-only?"
        ) from error
    return fetched


def _fetch_one(
    url: str,
    file: ModelFile,
    place: Path,
    *,
    report: Callable[[Progress], None],
    sleep: Callable[[float], None],
) -> None:
    part = place.with_name(place.name + ".part")
    # A part that is left of another version is no beginning of this one.
    part = part.with_name(f"{part.name}.{file.sha256[:12]}")
    last: Exception | None = None
    for attempt in range(ATTEMPTS):
        if attempt:
            sleep(min(30.0, 2.0**attempt))
        try:
            _download(url, part, file=file, report=report)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 416:  # what we have is longer than what there is
                part.unlink(missing_ok=True)
            elif error.code not in (408, 429) and error.code < 500:
                raise _unreachable(url, f"the server answers {error.code}") from error
            last = error
            continue
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError) as error:
            last = error
            continue
        except ConnectionError as error:
            last = error
            continue
        found = sha256_of(part)
        if found == file.sha256:
            os.replace(part, place)
            return
        part.unlink()
        last = ChecksumError(
            f"{url} has the sha256 {found[:12]}, {file.sha256[:12]} was pinned, so it was thrown "
            "away. A proxy in between, or another file than the one that was checked"
        )
    if isinstance(last, ChecksumError):
        raise last
    raise _unreachable(url, str(last)) from last


def _download(url: str, part: Path, *, file: ModelFile, report: Callable[[Progress], None]) -> None:
    have = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})  # noqa: S310 - our own address
    reply = cast("_Reply", urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS))  # noqa: S310 - the same
    try:
        resumed = have > 0 and reply.status == 206
        done = have if resumed else 0
        length = int(reply.headers.get("Content-Length") or 0)
        total = done + length if length else 0
        with part.open("ab" if resumed else "wb") as target:
            while chunk := reply.read(CHUNK_BYTES):
                target.write(chunk)
                done += len(chunk)
                report(Progress(file=file.name, done_bytes=done, total_bytes=total))
        if total and done < total:
            raise ConnectionError(f"cut off after {done} of {total} bytes")
    finally:
        reply.close()


def _unreachable(url: str, why: str) -> ModelMissingError:
    return ModelMissingError(
        f"{url} could not be fetched: {why}. Without a network, use the preset offline, mount a "
        "folder with the model, or name a mirror in HF_ENDPOINT"
    )
