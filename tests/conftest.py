"""What all tests share: the folder tests/ itself is importable, for `support`."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

# A slow machine is no failure; every test has its own generous timeout.
settings.register_profile("kausa", deadline=None, max_examples=60)
settings.load_profile("kausa")
