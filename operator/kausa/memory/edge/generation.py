"""Both collections of one generation, opened, made and flushed together."""

from __future__ import annotations

from pathlib import Path

import msgspec

from kausa.memory.edge import copying
from kausa.memory.edge.failures import corrupt, reason_of, unavailable
from kausa.memory.edge.shard import Shard, make
from kausa.memory.store import COLLECTIONS, Collection, Schema

__all__ = ["OpenGeneration", "make_generation"]


class OpenGeneration:
    """The open shards of a generation.

    Raises `MemoryUnavailableError`: `StoreCorrupt` where they cannot be loaded.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._shards: dict[Collection, Shard] = {}
        for name in COLLECTIONS:
            self._shards[name] = _load(folder / name)

    def shard(self, collection: Collection) -> Shard:
        """One of them."""
        return self._shards[collection]

    def shards(self) -> list[Shard]:
        """Both of them."""
        return list(self._shards.values())

    def counts(self) -> dict[str, int]:
        """Points by collection."""
        return {name: each.count() for name, each in self._shards.items()}

    @property
    def dirty(self) -> bool:
        """Whether something was written since the last flush."""
        return any(each.dirty for each in self._shards.values())

    def flush(self) -> None:
        """Bring what was written to disk."""
        for each in self._shards.values():
            if each.dirty:
                each.flush()

    def close(self) -> None:
        """Flush and let go of both, the second even where the first cannot be flushed."""
        errors: list[Exception] = []
        for each in self._shards.values():
            try:
                each.close()
            except Exception as error:  # Edge raises nothing narrower
                errors.append(error)
        if errors:
            raise unavailable(f"the memory in {self.folder} could not be flushed", errors[0])


def make_generation(folder: Path, *, schema: Schema) -> None:
    """Make both shards, empty, and then say of which schema they are."""
    try:
        for name in COLLECTIONS:
            make(folder / name, dimensions=schema.dimensions)
        described = msgspec.json.format(msgspec.json.encode(schema), indent=2) + b"\n"
        copying.write_file(folder / "schema.json", described)
    except Exception as error:  # Edge raises nothing narrower
        raise unavailable(f"the memory cannot be made in {folder}", error) from error


def _load(folder: Path) -> Shard:
    if not folder.is_dir():
        raise corrupt(folder, "it is not there")
    try:
        return Shard(folder)
    except Exception as error:  # Edge raises nothing narrower
        if reason_of(error) in {"StoreFull", "StoreReadOnly"}:
            raise unavailable(f"the memory in {folder} cannot be opened", error) from error
        raise corrupt(folder, error) from error
    except BaseException as error:
        # The engine panics over a file that is not as long as another one says.
        if type(error).__name__ == "PanicException":
            raise corrupt(folder, error) from error
        raise
