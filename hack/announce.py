"""Says, before `make test` begins, what it will build or fetch and how long that takes.

Standard library only: it runs before there is a `.venv`.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "hack" / "cluster")]

from hack.tools import helming  # noqa: E402

from localcluster import dns, packages  # noqa: E402
from localcluster.binaries import fingerprint  # noqa: E402
from localcluster.layout import Layout  # noqa: E402

# What was measured on two cores; see the table in the README.
STEPS = (
    ("Python packages into .venv", "about 40 s"),
    ("embedding model, 23 MB", "about 2 s"),
    ("Debian packages, as root: " + " ".join(packages.NEEDS), "as long as the mirror takes"),
    ("Go modules of Kubernetes and etcd into Go's cache", "within the build"),
    ("Kubernetes and etcd, built from source", "about 5 min"),
    ("CoreDNS, built from source", "about 2 min"),
    ("Helm, built from source", "2 to 3 min"),
    ("Debian package, as root, where there is no docker: buildah", "as long as the mirror takes"),
)
TESTS = "all tests take about 40 minutes, of which building the two images takes 4"


def missing(*, environment: dict[str, str], home: Path) -> list[bool]:
    """For each step, whether it has still to be done."""
    layout = Layout.from_environment(environment, home=home)
    cache = layout.root.parent
    named = environment.get("KAUSA_CLUSTER_BIN") or environment.get("KAUSA_TEST_KUBECONFIG")
    binaries = layout.root / f"bin-{fingerprint(ROOT / 'hack' / 'cluster')}"
    cluster = not (named or binaries.exists())
    return [
        not (ROOT / ".venv" / ".installed").exists(),
        not (cache / "models" / "all-MiniLM-L6-v2-w8a8" / "model.onnx").exists(),
        not environment.get("KAUSA_TEST_KUBECONFIG") and bool(packages.missing()),
        cluster,
        cluster,
        not named and not dns.PROGRAM.folder(layout.root).exists(),
        not (shutil.which("helm") or helming.PROGRAM.folder(cache / "tools").exists()),
        not (shutil.which("docker") or shutil.which("buildah")),
    ]


def main() -> int:
    """Print the plan."""
    todo = missing(environment=dict(os.environ), home=Path.home())
    for (what, duration), needed in zip(STEPS, todo, strict=True):
        print(f"  {what}: " + (f"once, {duration}" if needed else "there already"))
    print(f"  {TESTS}; `make cluster-down` undoes what the cluster changed on this machine")
    return 0


if __name__ == "__main__":
    print("make test needs:")
    sys.exit(main())
