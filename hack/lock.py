"""Writes requirements/*.txt: every image's packages, pinned with hashes, naming no index.

One distribution, several images. The operator's files start from the base dependencies; the
embedder's do not, because its images run none of the operator's code. `python hack/lock.py NAME...`
pins some files only.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# file name -> (carries the base dependencies, extras)
SETS: dict[str, tuple[bool, tuple[str, ...]]] = {
    "operator": (True, ()),
    "embedded": (True, ("embedded",)),
    "qdrant": (True, ("qdrant",)),
    "cli": (True, ("embedded", "cli")),
    "dev": (True, ("dev",)),
    "embedder": (False, ("embedder",)),
    "embedder-gpu": (False, ("gpu",)),
    "embedder-sentence-transformers": (False, ("sentence-transformers",)),
    # What the Dockerfile installs, beside `embedder`: the operator in the cluster carries no model.
    "operator-image": (True, ("qdrant", "tracing")),
    "embedder-gpu-image": (False, ("gpu",)),
    "build-image": (False, ()),
}
# What an image needs beyond its extras: CUDA, which is the machine's own elsewhere.
FURTHER = {"embedder-gpu-image": ("onnxruntime-gpu[cuda,cudnn]>=1.31,<2",)}
COMPILE = (
    *("pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"),
    *("--no-emit-index-url", "--no-emit-find-links", "--no-header", "--no-annotate"),
)


def wanted(*, base: bool, extras: tuple[str, ...], project: dict[str, object]) -> list[str]:
    """The requirement lines of one set, with references to our own extras resolved."""
    optional: dict[str, list[str]] = project["optional-dependencies"]  # type: ignore[assignment]
    dependencies: list[str] = project["dependencies"]  # type: ignore[assignment]
    lines = list(dependencies) if base else []
    queue = list(extras)
    while queue:
        for line in optional[queue.pop()]:
            if line.startswith("kausa["):
                queue.extend(line.removeprefix("kausa[").rstrip("]").split(","))
            else:
                lines.append(line)
    return sorted(set(lines))


def main(names: list[str]) -> int:
    """Compile sets with uv; stop at the first that cannot be resolved."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for name in names or SETS:
        base, extras = SETS[name]
        lines = wanted(base=base, extras=extras, project=document["project"])
        lines += FURTHER.get(name, ())
        if name == "build-image":
            lines += document["build-system"]["requires"]
        target = ROOT / "requirements" / f"{name}.txt"
        print(f"lock: {target.relative_to(ROOT)} ({len(lines)} direct)", file=sys.stderr)
        subprocess.run(
            [sys.executable, "-m", "uv", *COMPILE, "-", "--output-file", str(target)],
            input="\n".join(lines).encode(),
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
