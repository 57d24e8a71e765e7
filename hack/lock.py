"""Writes requirements/*.txt: every image's packages, pinned with hashes, naming no index.

One distribution, several images. The operator's files start from the base dependencies; the
embedder's do not, because its images run none of the operator's code.
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
}
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


def main() -> int:
    """Compile every set with uv; stop at the first that cannot be resolved."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for name, (base, extras) in SETS.items():
        lines = wanted(base=base, extras=extras, project=project)
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
    sys.exit(main())
