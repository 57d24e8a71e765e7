"""Reads a snapshot from a case folder, a dump of `kubectl cluster-info dump`, or any such files.

Everything is bounded: how many files, how large, how deep. Nothing outside of the folder is read: a
symbolic link that leads out of it is left out, and said.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from kausa.cluster.errors import SnapshotError
from kausa.cluster.kinds import KINDS
from kausa.cluster.snapshot.coverage import Coverage
from kausa.cluster.snapshot.documents import Document, Json, read_documents
from kausa.cluster.snapshot.filling import fill
from kausa.cluster.snapshot.logs import LogFiles
from kausa.cluster.snapshot.plurals import group_of, plural_of
from kausa.cluster.snapshot.store import Snapshot

__all__ = ["CASE_FILE", "OBJECT_FILES", "load_snapshot", "read_snapshot"]

OBJECT_FILES = ("objects.json", "objects.yaml", "objects.yml")
CASE_FILE = "case.yaml"
SUFFIXES = (".json", ".yaml", ".yml")
MOST_FILES = 50_000
MOST_FILE_BYTES = 512 * 1024 * 1024
MOST_YAML_BYTES = 64 * 1024 * 1024
"""YAML is parsed at a few megabytes a second."""
MOST_BYTES = 1024 * 1024 * 1024
MOST_OBJECTS = 500_000
DEEPEST = 8
WHAT_TO_GIVE = (
    "Give a folder with objects.json, a folder of `kubectl cluster-info dump "
    "--output-directory=FOLDER`, or files of `kubectl get ... -o json` or `-o yaml`."
)


def load_snapshot(root: Path) -> Snapshot:
    """Everything in a folder, or in one file.

    Raises:
        SnapshotError: there is nothing to read, or a file cannot be read; says which and why.
    """
    if not root.exists():
        raise SnapshotError(f"{root}: there is no such file or folder. {WHAT_TO_GIVE}")
    if not root.is_dir() and not root.is_file():
        raise SnapshotError(f"{root}: this is not a plain file and not a folder. {WHAT_TO_GIVE}")
    return _Loading(root).read()


def read_snapshot(stream: BinaryIO, *, name: str) -> Snapshot:
    """The objects that come out of a stream, such as the output of `kubectl get`.

    Raises:
        SnapshotError: there is nothing to read in it, or it cannot be read.
    """
    data = stream.read(MOST_FILE_BYTES + 1)
    if len(data) > MOST_FILE_BYTES:
        raise SnapshotError(f"{name}: more than {MOST_FILE_BYTES >> 20} MiB are too much to read.")
    return _Loading(Path(name)).read_bytes(data)


class _Loading:
    """One run over the files."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._real_root = root.resolve()
        self._objects: list[Json] = []
        self._bytes = 0
        self._unreadable = 0
        self._skipped_links = 0
        self._empty: list[str] = []
        self._coverage = Coverage(whole=False)
        self._logs = LogFiles()

    def read(self) -> Snapshot:
        root = self._root
        single = next((root / each for each in OBJECT_FILES if (root / each).is_file()), None)
        if root.is_file():
            self._take_file(root)
        elif single is not None:
            self._coverage.whole = True
            self._take_file(single)
            self._take_logs()
        else:
            self._take_folder()
        return self._done()

    def _done(self) -> Snapshot:
        snapshot = Snapshot(coverage=self._coverage, logs=self._logs, notes=self._notes())
        if not self._objects and not self._coverage.kinds:
            if len(self._empty) == 1:
                raise SnapshotError(f"{self._empty[0]} is empty; did kubectl fail? {WHAT_TO_GIVE}")
            raise SnapshotError(
                f"{self._root}: there is no object of Kubernetes in it{self._why_nothing()}. "
                f"{WHAT_TO_GIVE}"
            )
        snapshot.take(fill(self._objects))
        return snapshot

    def read_bytes(self, data: bytes) -> Snapshot:
        if not data.strip():
            self._empty.append(str(self._root))
        for document in read_documents(data, name=str(self._root)):
            self._take_document(document, folder="")
        return self._done()

    def _take_folder(self) -> None:
        for path in self._files(self._root):
            if path.name == "logs.txt":
                self._logs.add_dump(path)
            elif path.name.endswith((".log", ".log.gz")):
                self._take_log(path)
            elif path.suffix in SUFFIXES and path.name != CASE_FILE:
                self._take_file(path)

    def _take_logs(self) -> None:
        folder = self._root / "logs"
        if folder.is_dir():
            for path in self._files(folder):
                self._take_log(path)

    def _take_log(self, path: Path) -> None:
        """By the last three parts of its path: namespace, Pod, container."""
        parts = path.relative_to(self._root).parts
        if len(parts) >= 3:
            self._logs.add(path, namespace=parts[-3], pod=parts[-2])

    def _files(self, folder: Path) -> Iterator[Path]:
        """Every file below, in order of their names, so that the same folder reads the same."""
        count = 0
        for here, folders, names in os.walk(folder, onerror=_cannot_list):
            depth = len(Path(here).relative_to(folder).parts)
            folders[:] = (
                sorted(each for each in folders if not each.startswith("."))
                if depth < DEEPEST
                else []
            )
            for name in sorted(names):
                path = Path(here) / name
                if name.startswith(".") or not self._is_inside(path):
                    continue
                count += 1
                if count > MOST_FILES:
                    raise SnapshotError(
                        f"{self._root}: it holds more than {MOST_FILES} files. Name a folder that "
                        "holds nothing but the snapshot."
                    )
                yield path

    def _is_inside(self, path: Path) -> bool:
        if not path.is_symlink():
            return path.is_file()
        real = path.resolve()
        if real.is_relative_to(self._real_root):
            return real.is_file()
        self._skipped_links += 1
        return False

    def _take_file(self, path: Path) -> None:
        name = str(path)
        if path != self._root and not self._is_inside(path):
            raise SnapshotError(
                f"{name}: this is a link to a file outside of the folder, which is not read. "
                "Copy the file here."
            )
        data = self._bytes_of(path, name)
        if not data.strip():
            self._empty.append(name)
        for document in read_documents(data, name=name):
            self._take_document(document, folder=path.parent.name)

    def _bytes_of(self, path: Path, name: str) -> bytes:
        try:
            size = path.stat().st_size
            most = MOST_FILE_BYTES if path.suffix == ".json" else MOST_YAML_BYTES
            if size > most or self._bytes + size > MOST_BYTES:
                raise SnapshotError(
                    f"{name}: {size >> 20} MiB are too much to read. Record fewer namespaces, and "
                    "large ones as JSON."
                )
            self._bytes += size
            return path.read_bytes()
        except OSError as error:
            raise SnapshotError(f"{name}: cannot be read: {error.strerror}.") from error

    def _take_document(self, document: Document, *, folder: str) -> None:
        self._unreadable += document.unreadable
        self._objects.extend(document.objects)
        if len(self._objects) > MOST_OBJECTS:
            raise SnapshotError(
                f"{self._root}: it holds more than {MOST_OBJECTS} objects. Record fewer namespaces."
            )
        if document.is_list:
            self._note_list(document, folder=folder)

    def _note_list(self, document: Document, *, folder: str) -> None:
        """A list tells that there is nothing else of its kind."""
        namespaces: dict[tuple[str, str], set[str]] = {}
        for found in document.objects:
            meta = found.get("metadata") or {}
            known = KINDS.get(found["kind"])
            namespace = meta.get("namespace") or ("default" if known and known.namespaced else "")
            resource = _resource(found["apiVersion"], found["kind"])
            namespaces.setdefault(resource, set()).add(str(namespace))
        if not document.objects and document.kind:
            namespaces[_resource(document.api_version, document.kind)] = {folder}
        for resource, where in namespaces.items():
            self._coverage.listed(resource, namespaces=where)

    def _notes(self) -> list[str]:
        notes = []
        if self._unreadable:
            notes.append(
                f"{self._unreadable} of what the files hold are no objects of Kubernetes "
                "(without kind, apiVersion or metadata) and were left out"
            )
        if self._empty:
            more = f" and {len(self._empty) - 1} more" if len(self._empty) > 1 else ""
            verb = "are" if more else "is"
            notes.append(f"{self._empty[0]}{more} {verb} empty; did kubectl fail?")
        if self._skipped_links:
            notes.append(
                f"{self._skipped_links} links to files outside of the folder were left out"
            )
        return notes

    def _why_nothing(self) -> str:
        return f": {'; '.join(notes)}" if (notes := self._notes()) else ""


def _resource(api_version: str, kind: str) -> tuple[str, str]:
    if kind == "Event":
        return ("", "events")
    return (group_of(api_version, kind), plural_of(kind))


def _cannot_list(error: OSError) -> None:
    raise SnapshotError(f"{error.filename}: this folder cannot be read: {error.strerror}.")
