"""What the integration tests share."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def embedding_model_path() -> Path:
    """The folder of the embedding model, fetched if it is not there yet."""
    script = REPOSITORY / "hack" / "models" / "fetch.py"
    subprocess.run([sys.executable, str(script)], check=True)
    if cache := os.environ.get("KAUSA_CACHE"):
        base = Path(cache)
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kausa"
    return base / "models" / "all-MiniLM-L6-v2-int8"
