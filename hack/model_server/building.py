"""The server, built from the version that go.mod pins, for exactly this machine.

A usual build finds its variants for kinds of CPU in libraries beside it; this one has the one that
was compiled in, and `-march=native` makes it seven times as fast. So the folder's name tells the
CPU, too. A folder that is there is whole: it is built aside and renamed.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from hack.model_server.place import HERE

from localcluster import gobuild
from localcluster.console import say
from localcluster.errors import CannotRun, ClusterError
from localcluster.packages import APT_TIMEOUT_S, find
from localcluster.processes import run

PACKAGE = "github.com/ollama/ollama"
FLAGS = ("-trimpath", "-ldflags", "-s -w")
INCLUDE = HERE / "include"
HEADER = INCLUDE / "miniaudio" / "miniaudio.h"
CPU_INFO = Path("/proc/cpuinfo")
# Sources for these are not in the module, and the compiler would take them for granted.
_AMX = ("amx_bf16", "amx_int8", "amx_tile")
# What a module leaves out of the folders of others' sources.
NEEDS: dict[str, Callable[[], bool]] = {
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
        _ensure_headers()
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


def _ensure_headers() -> None:
    absent = [package for package, is_there in NEEDS.items() if not is_there()]
    if not absent:
        return
    names = " ".join(absent)
    if find("apt-get") is None or os.geteuid() != 0:
        raise CannotRun(f"To build the model server, install these Debian packages: {names}.")
    say(f"Installing from Debian's packages: {names}.")
    apt = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get")
    run((*apt, "update", "-q"), timeout_s=APT_TIMEOUT_S)
    install = ("install", "-q", "-y", "--no-install-recommends", *absent)
    done = run((*apt, *install), timeout_s=APT_TIMEOUT_S)
    if any(not NEEDS[package]() for package in absent):
        raise CannotRun(f"apt-get could not install {names}: {done.stderr.strip()[-300:]}")


def _build(folder: Path, compiler: str) -> None:
    say(f"Building the model server into {folder} (once; about 4 minutes on two free cores).")
    environment = {
        **os.environ,
        "CGO_ENABLED": "1",
        "CGO_CFLAGS": compiler,
        "CGO_CXXFLAGS": f"{compiler} -I{INCLUDE}",
        "GOFLAGS": "-mod=readonly",
        "GOWORK": "off",
    }
    with gobuild.Aside(folder.parent) as aside:
        command = ["go", "build", *FLAGS, "-o", f"{aside}/", PACKAGE]
        _follow(command, environment)
        if not (aside / "ollama").is_file():
            raise ClusterError("The build did not make the model server.")
        aside.rename(folder)


def _follow(command: list[str], environment: Mapping[str, str]) -> None:
    """Runs the build; says every ten seconds that it goes on, for it tells nothing itself."""
    began = told = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        building = subprocess.Popen(
            command,
            cwd=HERE,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            while building.poll() is None:
                now = time.monotonic()
                if now - began > gobuild.BUILD_TIMEOUT_S:
                    raise ClusterError(
                        f"The build was not done after {gobuild.BUILD_TIMEOUT_S:.0f} s."
                    )
                if now - told >= gobuild.PROGRESS_S:
                    told = now
                    say(f"  {now - began:.0f} s: building")
                time.sleep(0.2)
        finally:
            building.kill()
            building.wait()
        if building.returncode:
            output.seek(0)
            raise ClusterError("go build failed:\n" + "".join(output.readlines()[-20:]))
    say(f"  built in {time.monotonic() - began:.0f} s")
