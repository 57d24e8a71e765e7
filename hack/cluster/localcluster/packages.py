"""The container runtime and the small tools, from Debian's packages where they are missing.

The packages are the only thing that stays on the machine after `down`: a tool that was installed
may be in use by others by then. Where a package starts a containerd of its own, that one is left
as it is; ours has its own root, state and socket.
"""

from __future__ import annotations

import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

from localcluster.console import say
from localcluster.errors import CannotRun
from localcluster.processes import PATH, run

CNI_FOLDERS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))
CNI_PLUGINS = ("bridge", "host-local", "loopback", "portmap")
_PT_INTERP = 3
APT_TIMEOUT_S = 600.0


def find(tool: str) -> Path | None:
    """Where a tool lies; looks into the sbin folders too, which a shell's PATH may lack."""
    found = shutil.which(tool, path=f"{os.environ.get('PATH', '')}:{PATH}")
    return Path(found) if found else None


def cni_folder() -> Path | None:
    for folder in CNI_FOLDERS:
        if all((folder / plugin).is_file() for plugin in CNI_PLUGINS):
            return folder
    return None


def is_static(binary: bytes) -> bool:
    """True for a 64-bit ELF file that needs no dynamic loader."""
    if binary[:5] != b"\x7fELF\x02" or len(binary) < 64:
        return False
    (offset,) = struct.unpack_from("<Q", binary, 32)
    size, count = struct.unpack_from("<HH", binary, 54)
    kinds = (struct.unpack_from("<I", binary, offset + index * size)[0] for index in range(count))
    return _PT_INTERP not in kinds


def static_busybox() -> Path | None:
    found = find("busybox")
    return found if found and is_static(found.read_bytes()) else None


def _on_path(tool: str) -> Callable[[], bool]:
    return lambda: find(tool) is not None


NEEDS: dict[str, Callable[[], bool]] = {
    "containerd": lambda: all(
        find(tool) for tool in ("containerd", "ctr", "containerd-shim-runc-v2")
    ),
    "runc": _on_path("runc"),
    "containernetworking-plugins": lambda: cni_folder() is not None,
    "busybox-static": lambda: static_busybox() is not None,
    "socat": _on_path("socat"),
    "iproute2": _on_path("ip"),
    "iptables": _on_path("iptables-save"),
    "openssl": _on_path("openssl"),
    "mount": _on_path("umount"),
}


def missing() -> list[str]:
    return [package for package, is_there in NEEDS.items() if not is_there()]


def ensure() -> None:
    """Installs what is missing, or says in one sentence why it cannot."""
    absent = missing()
    if not absent:
        return
    if find("apt-get") is None:
        raise CannotRun(
            f"These Debian packages, or what they hold, are missing: {', '.join(absent)};"
            " this machine has no apt-get, so install them by hand."
        )
    say(f"Installing from Debian's packages: {' '.join(absent)}.")
    environment = ("env", "DEBIAN_FRONTEND=noninteractive")
    run((*environment, "apt-get", "update", "-q"), timeout_s=APT_TIMEOUT_S)
    command = ("apt-get", "install", "-q", "-y", "--no-install-recommends", *absent)
    done = run((*environment, *command), timeout_s=APT_TIMEOUT_S)
    if still := missing():
        raise CannotRun(
            f"apt-get could not install {', '.join(still)}: {done.stderr.strip()[-300:]}"
        )
