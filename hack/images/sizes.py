"""How large an image is: on a node's disk, and on the wire."""

from __future__ import annotations

import json
import tarfile
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

CHUNK = 1 << 20
# What registries' clients compress with.
LEVEL = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Of all layers of an image, in bytes: their files, and what goes over the wire."""

    unpacked: int
    compressed: int

    def __str__(self) -> str:
        return f"{self.unpacked / 1e6:.0f} MB, {self.compressed / 1e6:.0f} MB compressed"


def measure(archive: Path) -> Sizes:
    """Reads an archive in Docker's format; its layers lie there uncompressed."""
    unpacked = compressed = 0
    with tarfile.open(archive) as outer:
        described = outer.extractfile("manifest.json")
        assert described is not None
        (manifest,) = json.load(described)
        # Two equal layers are one file.
        for name in dict.fromkeys(manifest["Layers"]):
            layer = outer.extractfile(name)
            assert layer is not None
            with tarfile.open(fileobj=layer) as files:
                unpacked += sum(entry.size for entry in files if entry.isfile())
            layer.seek(0)
            packer = zlib.compressobj(LEVEL)
            while chunk := layer.read(CHUNK):
                compressed += len(packer.compress(chunk))
            compressed += len(packer.flush())
    return Sizes(unpacked=unpacked, compressed=compressed)


def write(target: Path, *, fingerprint: str, sizes: Sizes) -> None:
    """Beside an archive: what it was made of."""
    target.write_text(json.dumps({"fingerprint": fingerprint, **asdict(sizes)}))


def read(source: Path, *, fingerprint: str) -> Sizes | None:
    """The sizes of an archive that was made of just this; None of any other."""
    try:
        found = json.loads(source.read_text())
    except (FileNotFoundError, ValueError):
        return None
    if found.pop("fingerprint", None) != fingerprint:
        return None
    return Sizes(**found)
