"""Fetches a model's files once, into its folder in the cache.

A file is written beside its place, hashed, and moved there in one step: whoever finds it finds all
of it, and a fetch that was killed goes on where it stopped. Where several workers share a volume
the first has that beginning, under a lock; the others write one of their own each. What has another
hash than the pinned one is thrown away and never loaded. A model whose files are not pinned is not
fetched here at all.
"""

from __future__ import annotations

import fcntl
import http.client
import os
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
_OLD_SECONDS = 86_400.0
"""No fetch takes so long: whoever wrote a file of its own then was killed."""


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
            with _part_of(place, file.sha256) as part:
                _fetch_one(url, file, part=part, place=place, report=report, sleep=sleep)
            fetched.append(file.name)
    except OSError as error:
        raise ModelMissingError(
            f"{spec.name} cannot be written to {folder}: {error}. Is the volume full or read-only?"
        ) from error
    return fetched


@contextmanager
def _part_of(place: Path, sha256: str) -> Iterator[Path]:
    """Where a file is written meanwhile: what another fetch left, or one of our own."""
    # A part that is left of another version is no beginning of this one.
    shared = place.with_name(f"{place.name}.part.{sha256[:12]}")
    descriptor = _locked(shared)
    if descriptor is None:
        own = shared.with_name(f"{shared.name}.{uuid.uuid4().hex[:8]}")
        try:
            yield own
        finally:
            own.unlink(missing_ok=True)
        return
    try:
        _remove_old(shared)
        yield shared
    finally:
        if _is_at(descriptor, shared) and not os.fstat(descriptor).st_size:
            shared.unlink()
        os.close(descriptor)


def _locked(path: Path) -> int | None:
    """A lock on a file, made where it is not there; None where another worker has it, or no locks
    are known there. Whoever closes it, or dies, gives it back."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError:  # such as a network's file system that knows none
            os.close(descriptor)
            path.unlink(missing_ok=True)
            return None
        # Whoever had it before may have moved the file to its place since it was opened here.
        if _is_at(descriptor, path):
            return descriptor
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether an open file is still the one of this name."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _remove_old(shared: Path) -> None:
    for each in shared.parent.glob(f"{shared.name}.*"):
        if time.time() - each.lstat().st_mtime > _OLD_SECONDS:
            each.unlink(missing_ok=True)


def _fetch_one(
    url: str,
    file: ModelFile,
    *,
    part: Path,
    place: Path,
    report: Callable[[Progress], None],
    sleep: Callable[[float], None],
) -> None:
    last: Exception | None = None
    for attempt in range(ATTEMPTS):
        if attempt:
            sleep(min(30.0, 2.0**attempt))
        try:
            _download(url, part, file=file, report=report)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 416:  # what we have is longer than what there is
                _empty(part)
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
        _empty(part)
        last = ChecksumError(
            f"{url} has the sha256 {found[:12]}, {file.sha256[:12]} was pinned, so it was thrown "
            "away. A proxy in between, or another file than the one that was checked"
        )
    if isinstance(last, ChecksumError):
        raise last
    raise _unreachable(url, str(last)) from last


def _empty(part: Path) -> None:
    """Not removed: the lock is on this file, and not on another of its name."""
    with part.open("wb"):
        pass


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
