"""Container images without a registry: archives in Docker's format, written here byte by byte.

The same input gives the same bytes, so the same image id, on every machine: no times, no owners, a
fixed order.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
PAUSE = "localhost/pause:3.10"
BUSYBOX = "localhost/busybox:1.36"


@dataclass(frozen=True, slots=True)
class Image:
    """One image: files by their path in it, symbolic links by theirs, and how it starts."""

    name: str
    files: Mapping[str, bytes]
    entrypoint: Sequence[str] = ()
    command: Sequence[str] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    folders: Sequence[str] = ()


def layer(image: Image) -> bytes:
    """The image's one file system layer, each folder before what is in it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in _folders(image):
            _add(archive, path, tarfile.DIRTYPE, mode=0o1777 if path == "tmp" else 0o755)
        for path, content in sorted(image.files.items()):
            mode = 0o755 if content.startswith(b"\x7fELF") else 0o644
            _add(archive, path, tarfile.REGTYPE, mode=mode, content=content)
        for path, target in sorted(image.links.items()):
            _add(archive, path, tarfile.SYMTYPE, mode=0o777, target=target)
    return buffer.getvalue()


def _folders(image: Image) -> list[str]:
    inside = [str(Path(path.strip("/")).parent) for path in (*image.files, *image.links)]
    named = {folder.strip("/") for folder in (*inside, *image.folders)} - {"."}
    parents = {str(parent) for folder in named for parent in Path(folder).parents} - {"."}
    return sorted(named | parents)


def _add(
    archive: tarfile.TarFile,
    path: str,
    kind: bytes,
    *,
    mode: int,
    content: bytes = b"",
    target: str = "",
) -> None:
    entry = tarfile.TarInfo(path.strip("/"))
    entry.type, entry.mode, entry.size, entry.linkname = kind, mode, len(content), target
    archive.addfile(entry, io.BytesIO(content))


def archive(image: Image) -> bytes:
    """The image as `docker load` and `ctr images import` take it."""
    content = layer(image)
    digest = hashlib.sha256(content).hexdigest()
    config = json.dumps(
        {
            "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
            "os": "linux",
            "config": {
                "Entrypoint": list(image.entrypoint),
                "Cmd": list(image.command),
                "Env": ["PATH=/bin:/usr/bin:/sbin:/usr/sbin"],
                "WorkingDir": "/",
            },
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
            "history": [{"created_by": "kausa"}],
        },
        sort_keys=True,
    ).encode()
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    layer_name = f"{digest}/layer.tar"
    manifest = [{"Config": config_name, "RepoTags": [image.name], "Layers": [layer_name]}]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as outer:
        _add(outer, config_name, tarfile.REGTYPE, mode=0o644, content=config)
        _add(outer, layer_name, tarfile.REGTYPE, mode=0o644, content=content)
        described = json.dumps(manifest).encode()
        _add(outer, "manifest.json", tarfile.REGTYPE, mode=0o644, content=described)
    return buffer.getvalue()


def pause(binary: bytes) -> Image:
    return Image(PAUSE, {"/pause": binary}, entrypoint=("/pause",))


def busybox(binary: bytes, applets: Sequence[str]) -> Image:
    """A busybox with all of its applets linked, and the few files that programs look for."""
    links = {f"/bin/{name}": "busybox" for name in applets if name not in ("busybox", "")}
    files = {
        "/bin/busybox": binary,
        "/etc/passwd": b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n",
        "/etc/group": b"root:x:0:\nnogroup:x:65534:\n",
    }
    folders = ("/tmp", "/root", "/var", "/etc")
    return Image(BUSYBOX, files, command=("/bin/sh",), links=links, folders=folders)
