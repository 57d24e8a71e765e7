"""Which commands of the documentation may be run by a test, and how they are run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from docs.pages import ROOT, Block, commands_of

__all__ = ["PROGRAMS", "helm", "programs_of", "run_block", "type_in", "why_not_run_here"]

OURS = frozenset({"diagnose", "eval", "query-analysis", "redact", "--help", "--version", "-h"})
"""Commands of kausa that need no cluster, no memory and no model."""
PROGRAMS = frozenset(
    {"kausa", "kausa-embedder", "kubectl", "helm", "make", "docker", "buildah", "kind", "pip"}
    | {"curl", "promtool", "pytest", "python", "python3", "ollama", "export", "git", "tar"}
)
"""A line that begins with one of these is a command, whatever its block is called."""
_HARMLESS = frozenset({"cat", "echo", "export", "grep", "head", "printf", "tail"})
_READING = {"helm": {"lint", "show", "template", "version"}, "make": {"help"}}
_JOINTS = frozenset({"|", "||", "&&", ";", "&", "(", ")"})
SECONDS = 100


def programs_of(command: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each program that a line starts, with its words; variables set before it left out."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for token in [*lexer, ";"]:
        if token not in _JOINTS:
            words.append(token)
            continue
        while words and re.match(r"^[A-Za-z_]\w*=", words[0]):
            words.pop(0)
        if words:
            yield Path(words[0]).name, tuple(words[1:])
        words = []


def why_not_run_here(command: str) -> str | None:
    """Why a test must not simply run a line; None where it may."""
    for program, words in programs_of(command):
        if program in _HARMLESS:
            continue
        if program == "kausa" and (words[:1] and (words[0] in OURS or "--help" in words)):
            continue
        if words and words[0] in _READING.get(program, ()):
            continue
        if program == "kausa-embedder" and "--help" in words:
            continue
        return f"`{program} {' '.join(words[:1])}` is not run here"
    return None


def run_block(block: Block, *, home: Path) -> str:
    """Run all commands of a block in one shell and return what they print.

    They see the repository, an empty home folder and no setting of whoever runs the tests.
    """
    keep = {name: value for name, value in os.environ.items() if not name.startswith("KAUSA_")}
    script = "\n".join(commands_of(block))
    folders = [str(Path(sys.executable).parent)]
    if any(name == "helm" for each in commands_of(block) for name, _ in programs_of(each)):
        folders.append(str(helm().parent))
    environment = (
        keep
        | {"HOME": str(home), "XDG_STATE_HOME": str(home), "XDG_CACHE_HOME": str(home)}
        | {"COLUMNS": "100", "PATH": os.pathsep.join([*folders, keep["PATH"]])}
    )
    return _shell(script, said_by=str(block), folder=ROOT, environment=environment, seconds=SECONDS)


def type_in(
    command: str, *, folder: Path, kubeconfig: str | None = None, seconds: float = 90
) -> str:
    """Have a shell run it; it must succeed. What it printed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path}
    if kubeconfig is not None:
        environment["KUBECONFIG"] = kubeconfig
    return _shell(command, said_by=command, folder=folder, environment=environment, seconds=seconds)


def _shell(
    script: str, *, said_by: str, folder: Path, environment: Mapping[str, str], seconds: float
) -> str:
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, f"{said_by}: exit code {done.returncode}\n{done.stdout}"
    return done.stdout


def helm() -> Path:
    """The pinned Helm, built where it is not there yet."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "hack" / "tools" / "tools.py"), "helm"],
        text=True,
        stdout=subprocess.PIPE,
        check=True,
    )
    return Path(done.stdout.strip())
