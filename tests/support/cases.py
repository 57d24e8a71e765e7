"""Cases for tests of the evaluation: a folder with what is seen and what is expected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from support.snapshots import crashing_pod, folder_of

__all__ = ["case_of"]


def case_of(
    folder: Path,
    *,
    id_: str = "crash",
    log: str = "FATAL: variable REGION is not set\n",
    expect: dict[str, Any] | None = None,
    target: dict[str, Any] | None = None,
    **fields: Any,
) -> Path:
    """A case of a crashing Pod, whose right answer is a crash with REGION in it."""
    path = folder_of(folder / id_, crashing_pod("api-1"), logs={"shop/api-1/api.previous.log": log})
    default = {"outcome": "failure", "category": None, "says": [["REGION", "region"]]}
    document = {
        "id": id_,
        "source": "made here",
        "target": target or {"kind": "Pod", "namespace": "shop", "name": "api-1"},
        "expect": default | (expect or {}),
        **fields,
    }
    (path / "case.yaml").write_text(yaml.safe_dump(document))
    return path
