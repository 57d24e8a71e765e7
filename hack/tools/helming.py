"""Helm: the machine's own where it is new enough, else one that is built here.

The chart is tested with the real program, because its templates, its schema checks and its way of
upgrading are what users meet. An older one on PATH is passed over: before 3.17 it does not know
what the tests ask it for.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import CompletedProcess

from localcluster.gobuild import Program
from localcluster.processes import run

VERSION = "v4.3.1"
OLDEST = (3, 17)
_STAMP = "helm.sh/helm/v4/internal/version"
PROGRAM = Program(
    name="helm",
    version=VERSION,
    package="helm.sh/helm/v4/cmd/helm",
    module=Path(__file__).resolve().parent / "helm",
    # Without the stamp it calls itself v4.0, and charts that ask for a version would refuse it.
    flags=("-trimpath", "-ldflags", f"-s -w -X {_STAMP}.version={VERSION}"),
    takes="2 to 3 minutes",
    instead="install Go, or Helm 3.17 or newer",
)
Runner = Callable[..., CompletedProcess[str]]


def parse_version(said: str) -> tuple[int, int] | None:
    """Major and minor of `helm version --short`; None where it says no version."""
    found = re.search(r"v(\d+)\.(\d+)\.", said)
    return (int(found[1]), int(found[2])) if found else None


def on_path(environment: Mapping[str, str], *, runner: Runner = run) -> Path | None:
    """The machine's own, where it is new enough."""
    found = shutil.which("helm", path=environment.get("PATH"))
    if found is None:
        return None
    version = parse_version(runner((found, "version", "--short")).stdout)
    return Path(found) if version is not None and version >= OLDEST else None


def ensure(root: Path, environment: Mapping[str, str]) -> Path:
    """The program, built where the machine has none that will do."""
    return on_path(environment) or PROGRAM.ensure(root)
