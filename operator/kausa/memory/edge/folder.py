"""The folder of an embedded store: generations side by side, one of them active.

    FOLDER/lock                             who owns it
    FOLDER/active                           the name of the active generation
    FOLDER/generations/NAME.N/schema.json   model, dimensions, version
    FOLDER/generations/NAME.N/failures/     Edge's own files
    FOLDER/generations/NAME.N/runbooks/
    FOLDER/new/                             generations in the making; garbage if found
    FOLDER/current/                         a store of schema 1, which is not read any more

A generation is made under `new` and renamed when it is complete; `active` is replaced by a rename.
So there is never a half-made one to recognise, and a switch happens or does not.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from kausa.memory.edge import copying
from kausa.memory.edge.failures import OF_A_BACKUP, corrupt, ensure_space, unavailable
from kausa.memory.edge.generation import OpenGeneration, make_generation
from kausa.memory.edge.lock import FolderLock
from kausa.memory.errors import InvalidBackupError, MemoryError_, MemoryUnavailableError
from kausa.memory.schema import slug
from kausa.memory.store import Generation, Schema

__all__ = ["LOCK_WAIT_SECONDS", "StoreFolder"]

LOCK_WAIT_SECONDS = 5.0
_OLD_VERSION = 1


class StoreFolder:
    """Owns the folder from its making to `close`."""

    def __init__(self, folder: Path, *, wait_seconds: float = LOCK_WAIT_SECONDS) -> None:
        self._folder = folder
        self._generations = folder / "generations"
        self._opened: dict[Path, OpenGeneration] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = FolderLock(folder, wait_seconds=wait_seconds)
        except OSError as error:
            raise unavailable(f"the memory's folder {folder} cannot be used", error) from error
        try:
            self._generations.mkdir(exist_ok=True)
            copying.remove(folder / "new")
            self._remove_doubles()
        except OSError as error:
            self._lock.release()
            raise unavailable(f"the memory's folder {folder} cannot be used", error) from error
        except BaseException:
            self._lock.release()
            raise

    def open(self, schema: Schema) -> None:
        """Have the active generation open for this schema; the first one is made."""
        active = self._active()
        if active is None:
            if self._old_schema() is not None:
                raise self._old_layout()
            self.make(schema)
            self.activate(schema)
        self.generation(schema, beside=False)

    def generation(self, schema: Schema, *, beside: bool) -> OpenGeneration:
        """The one that a request means, opened if need be."""
        if beside:
            path = self._find(schema)
            if path is None:
                raise MemoryUnavailableError(
                    f"the memory has no generation of {_words(schema)} any more",
                    reason="StoreUnavailable",
                )
            return self._open(path)
        active = self._active()
        if active is None:
            raise MemoryUnavailableError("the store is not open", reason="StoreUnavailable")
        self._compare(self._schema(active), wanted=schema)
        return self._open(active)

    def listed(self) -> list[Generation]:
        """Every generation, the active one first."""
        active = self._active()
        found = [
            Generation(
                schema=self._schema(path), active=path == active, points=self._open(path).counts()
            )
            for path in sorted(self._paths(), key=lambda path: (path != active, path.name))
        ]
        old = self._old_schema()
        if old is not None:
            found.append(Generation(schema=old, active=active is None, points={}))
        return found

    def active_schema(self) -> Schema | None:
        """Of the active generation, if there is one."""
        active = self._active()
        return self._schema(active) if active else self._old_schema()

    def make(self, schema: Schema) -> None:
        """Make the generation of this schema, unless it is there."""
        if self._find(schema) is None:
            made = self._folder / "new" / slug(schema)
            ensure_space(self._folder)
            copying.remove(made)
            make_generation(made, schema=schema)
            self._take_in(made, schema)

    def activate(self, schema: Schema) -> None:
        """Switch to the generation of this schema."""
        path = self._find(schema)
        if path is None:
            raise MemoryError_(f"there is no generation of {_words(schema)} to switch to")
        self._open(path).flush()
        copying.write_file(self._folder / "active", path.name.encode())

    def drop(self, schema: Schema) -> None:
        """Delete the generation of this schema, unless it is the active one."""
        active = self._active()
        if active is not None and self._schema(active) == schema:
            raise MemoryError_(f"the generation of {_words(schema)} is in use; it is not dropped")
        if schema.version == _OLD_VERSION and self._old_schema() == schema:
            copying.remove(self._folder / "current")
        path = self._find(schema)
        if path is not None:
            self._discard(path)

    def backup(self, target: Path) -> Generation:
        """Flush, and copy the active generation; nothing is written to it meanwhile."""
        active = self._active()
        if active is None:
            raise MemoryUnavailableError(
                "the memory holds nothing yet that could be backed up", reason="StoreUnavailable"
            )
        opened = self._open(active)
        opened.flush()
        try:
            needed = copying.bytes_on_disk(active)
            ensure_space(target, needed=needed, whose="the backup", advice=OF_A_BACKUP)
            for each in sorted(active.iterdir()):
                if each.is_dir():
                    copying.remove(target / each.name)
                    copying.copy_tree(each, target / each.name)
        except OSError as error:
            doing = f"the backup in {target} cannot be written"
            raise unavailable(doing, error, advice=OF_A_BACKUP) from error
        return Generation(schema=self._schema(active), active=True, points=opened.counts())

    def restore(self, source: Path, *, schema: Schema, points: dict[str, int]) -> None:
        """Copy a generation in, check it, switch to it, and delete what it stands in for."""
        made = self._folder / "new" / slug(schema)
        copying.remove(made)
        try:
            ensure_space(self._folder, needed=copying.bytes_on_disk(source))
            for name in points:
                copying.copy_tree(source / name, made / name)
            copying.write_file(made / "schema.json", msgspec.json.encode(schema))
            copying.sync_tree(made)
        except OSError as error:
            doing = f"the backup in {source} cannot be copied into {self._folder}"
            raise unavailable(doing, error) from error
        self._check(made, source=source, points=points)
        replaced = self._find(schema)
        active = self._active_name()
        taken = self._take_in(made, schema)
        copying.write_file(self._folder / "active", taken.name.encode())
        for path in (replaced, self._generations / active if active else None):
            if path is not None and path.exists():
                self._discard(path)

    def opened(self) -> list[OpenGeneration]:
        """Those that are open: what may need a flush."""
        return list(self._opened.values())

    def active_generation(self) -> OpenGeneration | None:
        """The active one, where it is open."""
        active = self._active()
        return self._opened.get(active) if active else None

    def close(self) -> None:
        """Flush and let go of the folder."""
        try:
            for each in self._opened.values():
                each.close()
        finally:
            self._lock.release()

    def _check(self, made: Path, *, source: Path, points: dict[str, int]) -> None:
        try:
            opened = OpenGeneration(made)
            found = opened.counts()
            opened.close()
        except MemoryUnavailableError as error:
            copying.remove(made)
            raise InvalidBackupError(f"the backup in {source} cannot be loaded: {error}") from error
        if found != points:
            copying.remove(made)
            raise InvalidBackupError(
                f"the backup in {source} should hold {points} points and holds {found}"
            )

    def _open(self, path: Path) -> OpenGeneration:
        if path not in self._opened:
            self._opened[path] = OpenGeneration(path)
        return self._opened[path]

    def _take_in(self, made: Path, schema: Schema) -> Path:
        """Rename a complete generation to a name that none has had yet."""
        taken = {path.name for path in self._generations.iterdir()}
        number = next(n for n in range(1, 10**6) if f"{slug(schema)}.{n}" not in taken)
        path = self._generations / f"{slug(schema)}.{number}"
        made.rename(path)
        copying.sync_folder(self._generations)
        return path

    def _discard(self, path: Path) -> None:
        opened = self._opened.pop(path, None)
        if opened is not None:
            opened.close()
        rest = self._folder / "new" / f"{path.name}.dropped"
        rest.parent.mkdir(exist_ok=True)
        path.rename(rest)
        copying.remove(rest)

    def _remove_doubles(self) -> None:
        """A kill between a restore's switch and its end leaves the generation that it replaced."""
        active = self._active()
        if active is None:
            return
        wanted = active.name.rpartition(".")[0]
        for path in self._paths():
            if path != active and path.name.rpartition(".")[0] == wanted:
                self._discard(path)

    def _active_name(self) -> str:
        try:
            return (self._folder / "active").read_text().strip()
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise corrupt(self._folder, error) from error

    def _active(self) -> Path | None:
        name = self._active_name()
        if not name:
            return None
        path = self._generations / name
        if "/" in name or not path.is_dir():
            raise corrupt(self._folder, f"its active generation {name!r} is not there")
        return path

    def _paths(self) -> list[Path]:
        return [path for path in self._generations.iterdir() if path.is_dir()]

    def _find(self, schema: Schema) -> Path | None:
        named = [path for path in self._paths() if path.name.rpartition(".")[0] == slug(schema)]
        if len(named) > 1:  # a restore is about to replace the active one
            active = self._active_name()
            named.sort(key=lambda path: path.name != active)
        return named[0] if named and self._schema(named[0]) == schema else None

    def _schema(self, path: Path) -> Schema:
        try:
            return msgspec.json.decode((path / "schema.json").read_bytes(), type=Schema)
        except (OSError, msgspec.DecodeError) as error:
            raise corrupt(path, error) from error

    def _old_schema(self) -> Schema | None:
        path = self._folder / "current"
        return self._schema(path) if path.exists() else None

    def _old_layout(self) -> MemoryUnavailableError:
        return MemoryUnavailableError(
            f"the memory in {self._folder} was written by an earlier Kausa, which kept less of "
            "each failure. It is made anew from the resources: `kausa memory sync --rebuild`",
            reason="SchemaMismatch",
        )

    def _compare(self, found: Schema, *, wanted: Schema) -> None:
        if found == wanted:
            return
        message = (
            f"the memory in {self._folder} holds vectors of {_words(found)}, but the embedder is "
            f"{_words(wanted)}. Configure the model it was made with, or have it embedded again: "
            "`kausa memory migrate`"
        )
        if found.version != wanted.version:
            raise MemoryUnavailableError(message, reason="SchemaMismatch")
        if found.model != wanted.model:
            raise MemoryUnavailableError(message, reason="ModelMismatch")
        raise MemoryUnavailableError(message, reason="DimensionMismatch")


def _words(schema: Schema) -> str:
    return f"{schema.model} ({schema.dimensions} dimensions, schema {schema.version})"
