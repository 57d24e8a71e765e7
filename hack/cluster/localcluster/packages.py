"""The container runtime and the small tools, from Debian's packages where they are missing.

Other tools of the project install what they need in the same way, each with its own table of needs.
The packages are the only thing that stays on the machine after `down`: a tool that was installed
may be in use by others by then. Where a package starts a containerd of its own, that one is left
as it is; ours has its own root, state and socket.
"""

from __future__ import annotations

import os
import shutil
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

from localcluster.console import say
from localcluster.errors import CannotRun
from localcluster.processes import PATH, run

CNI_FOLDERS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))
CNI_PLUGINS = ("bridge", "host-local", "loopback", "portmap")
_PT_INTERP = 3
Needs = Mapping[str, Callable[[], bool]]
"""Debian packages, and whether what each is needed for is there, from wherever it came."""
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


def on_path(tool: str) -> Callable[[], bool]:
    """Whether a tool is there; a question for a table of needs."""
    return lambda: find(tool) is not None


NEEDS: dict[str, Callable[[], bool]] = {
    "containerd": lambda: all(
        find(tool) for tool in ("containerd", "ctr", "containerd-shim-runc-v2")
    ),
    "runc": on_path("runc"),
    "containernetworking-plugins": lambda: cni_folder() is not None,
    "busybox-static": lambda: static_busybox() is not None,
    "socat": on_path("socat"),
    "iproute2": on_path("ip"),
    "iptables": on_path("iptables-save"),
    "openssl": on_path("openssl"),
    "mount": on_path("umount"),
}


def missing(needs: Needs = NEEDS) -> list[str]:
    return [package for package, is_there in needs.items() if not is_there()]


def ensure(needs: Needs = NEEDS) -> None:
    """Installs what is missing, or says in one sentence why it cannot."""
    absent = missing(needs)
    if not absent:
        return
    if find("apt-get") is None or os.geteuid() != 0:
        why = "this machine has no apt-get" if find("apt-get") is None else "only root may"
        raise CannotRun(
            f"These Debian packages, or what they hold, are missing: {', '.join(absent)};"
            f" {why}, so install them by hand."
        )
    say(f"Installing from Debian's packages: {' '.join(absent)}.")
    environment = ("env", "DEBIAN_FRONTEND=noninteractive")
    run((*environment, "apt-get", "update", "-q"), timeout_s=APT_TIMEOUT_S)
    command = ("apt-get", "install", "-q", "-y", "--no-install-recommends", *absent)
    done = run((*environment, *command), timeout_s=APT_TIMEOUT_S)
    if still := missing(needs):
        raise CannotRun(
            f"apt-get could not install {', '.join(still)}: {done.stderr.strip()[-300:]}"
        )
