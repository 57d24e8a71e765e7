"""Logs beside the objects: found by their file names, read as they are asked for.

A case folder has `logs/<namespace>/<pod>/<container>[.previous].log[.gz]`. A dump of `kubectl
cluster-info dump` has one `logs.txt` for each Pod, in which the logs of all containers stand one
after the other between two lines of kubectl's own; it never has those of the runs before.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from kausa.cluster.errors import SnapshotError

__all__ = ["LogFiles", "LogKey"]

LogKey = tuple[str, str, str, bool]
"""Namespace, Pod, container, and whether it is that of the run before."""
CHUNK_BYTES = 64 * 1024
MOST_BYTES = 4 * 1024 * 1024 * 1024
"""Of one log, unpacked: a few kilobytes can hold as much as a disk."""
_HEADER = re.compile(
    rb"==== START logs for container (?P<container>\S{1,253}) of pod "
    rb"(?P<namespace>[^\s/]{1,253})/(?P<pod>\S{1,253}) ====\r?\n"
)
_FOOTER = b"==== END logs for container %s of pod %s/%s ====\n"
_NAME = re.compile(r"(?P<container>.+?)(?P<previous>\.previous)?\.log(?:\.gz)?")
NO_LOG = (b"Create log request error: ", b"Request log error: ")
"""What kubectl writes in the place of a log that it could not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Log:
    path: Path
    start: int = 0
    end: int | None = None
    """Where it begins and ends in the file; None is the file's end."""


@dataclass(slots=True)
class LogFiles:
    """Which logs there are; `chunks` reads one."""

    _logs: dict[LogKey, _Log] = field(default_factory=dict)
    _dumps: list[Path] = field(default_factory=list)

    def __len__(self) -> int:
        self._read_dumps()
        return len(self._logs)

    def add(self, path: Path, *, namespace: str, pod: str) -> bool:
        """Take in `<container>[.previous].log[.gz]`; False where the name is not such a one."""
        match = _NAME.fullmatch(path.name)
        if match is None:
            return False
        key = (namespace, pod, match["container"], match["previous"] is not None)
        self._logs[key] = _Log(path=path)
        return True

    def add_dump(self, path: Path) -> None:
        """Take in a `logs.txt` of a dump; it is read when the first log is asked for."""
        self._dumps.append(path)

    def chunks(self, key: LogKey) -> Iterator[bytes] | None:
        """The log's bytes, unpacked, oldest first; None where there is no such log.

        Raises:
            SnapshotError: the file cannot be read, while it is.
        """
        self._read_dumps()
        log = self._logs.get(key)
        return None if log is None else _read(log)

    def _read_dumps(self) -> None:
        while self._dumps:
            path = self._dumps.pop()
            for key, log in _sections(path):
                self._logs[key] = log


def _read(log: _Log) -> Iterator[bytes]:
    left = MOST_BYTES if log.end is None else log.end - log.start
    try:
        with _opened(log.path) as file:
            if log.start:
                file.seek(log.start)
            while left > 0 and (chunk := file.read(min(CHUNK_BYTES, left))):
                left -= len(chunk)
                yield chunk
    except (OSError, EOFError, zlib.error) as error:
        raise SnapshotError(
            f"{log.path}: this log cannot be read: {error}. Copy it again, or take it away."
        ) from error


def _opened(path: Path) -> BinaryIO | gzip.GzipFile:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")


def _sections(path: Path) -> Iterator[tuple[LogKey, _Log]]:
    """Where in a `logs.txt` each container's log stands."""
    footer, key, start, position = b"", None, 0, 0
    try:
        with path.open("rb") as file:
            for line in iter(lambda: file.readline(CHUNK_BYTES), b""):
                if key is None:
                    match = _HEADER.fullmatch(line)
                    if match is not None:
                        names = match["container"], match["namespace"], match["pod"]
                        footer = _FOOTER % names
                        container, namespace, pod = (
                            each.decode(errors="replace") for each in names
                        )
                        key, start = (namespace, pod, container, False), position + len(line)
                elif line.endswith(footer):
                    # The last line of a log may have no end of its own.
                    end = position + len(line) - len(footer)
                    yield key, _Log(path=path, start=start, end=end)
                    key = None
                elif position == start and line.startswith(NO_LOG):
                    key = None
                position += len(line)
    except OSError as error:
        raise SnapshotError(f"{path}: these logs cannot be read: {error}.") from error
    if key is not None:
        yield key, _Log(path=path, start=start)
