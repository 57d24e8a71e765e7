"""The demo is a script's own package below the root of the repository, and uses the cluster's."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
for folder in (ROOT, ROOT / "hack" / "cluster"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
