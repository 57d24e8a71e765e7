"""The server, built from the version that go.mod pins, for exactly this machine.

A usual build finds its variants for kinds of CPU in libraries beside it; this one has the one that
was compiled in, and `-march=native` makes it seven times as fast. So the folder's name tells the
CPU, too. A folder that is there is whole: it is built aside and renamed.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
from collections.abc import Mapping
from pathlib import Path

from hack.model_server.place import HERE

from localcluster import gobuild, packages
from localcluster.console import say
from localcluster.packages import find

PACKAGE = "github.com/ollama/ollama"
FLAGS = ("-trimpath", "-ldflags", "-s -w")
INCLUDE = HERE / "include"
HEADER = INCLUDE / "miniaudio" / "miniaudio.h"
CPU_INFO = Path("/proc/cpuinfo")
# Sources for these are not in the module, and the compiler would take them for granted.
_AMX = ("amx_bf16", "amx_int8", "amx_tile")
# What a module leaves out of the folders of others' sources.
NEEDS: packages.Needs = {
    "nlohmann-json3-dev": lambda: Path("/usr/include/nlohmann/json.hpp").is_file(),
    "libstb-dev": lambda: Path("/usr/include/stb/stb_image.h").is_file(),
    "g++": lambda: find("g++") is not None and find("gcc") is not None,
}


def ensure(root: Path, environment: Mapping[str, str]) -> Path:
    """The machine's own server, or one that is built here."""
    if found := shutil.which("ollama", path=environment.get("PATH")):
        return Path(found)
    cpu = cpu_features(CPU_INFO.read_text() if CPU_INFO.is_file() else "")
    folder = root / f"bin-{fingerprint(cpu)}"
    if not folder.is_dir():
        gobuild.check_go(
            "to build the model server and is not on PATH; install it or Ollama, or name a server"
            " that runs in KAUSA_MODEL_URL"
        )
        packages.ensure(NEEDS)
        _build(folder, compiler_flags(cpu))
    return folder / "ollama"


def cpu_features(cpu_info: str) -> frozenset[str]:
    """What this machine's CPU can; empty where nobody says."""
    for line in cpu_info.splitlines():
        name, _, value = line.partition(":")
        if name.strip() in {"flags", "Features"}:
            return frozenset(value.split())
    return frozenset()


def compiler_flags(cpu: frozenset[str]) -> str:
    """For this machine, less what the sources have no code for."""
    without = [f"-mno-{name.replace('_', '-')}" for name in _AMX if name in cpu]
    return " ".join(["-O3", "-march=native", *without])


def fingerprint(cpu: frozenset[str]) -> str:
    """Changes whenever the binary would."""
    digest = hashlib.sha256()
    for source in (HERE / "go.mod", HERE / "go.sum", HEADER):
        digest.update(source.read_bytes() + b"\0")
    words = [*FLAGS, compiler_flags(cpu), platform.machine(), *sorted(cpu)]
    digest.update("\0".join(words).encode())
    return digest.hexdigest()[:16]


def _build(folder: Path, compiler: str) -> None:
    say(f"Building the model server into {folder} (once; about 4 minutes on two free cores).")
    environment = {
        "CGO_ENABLED": "1",
        "CGO_CFLAGS": compiler,
        "CGO_CXXFLAGS": f"{compiler} -I{INCLUDE}",
    }
    with gobuild.Aside(folder.parent) as aside:
        gobuild.build(HERE, aside, [PACKAGE], flags=FLAGS, environment=environment)
        aside.rename(folder)
