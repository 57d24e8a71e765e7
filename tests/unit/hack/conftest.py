"""The cluster's tools are a script's own modules, so their folder comes onto the path here."""

from __future__ import annotations

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[3] / "hack" / "cluster"
if str(FOLDER) not in sys.path:
    sys.path.insert(0, str(FOLDER))
