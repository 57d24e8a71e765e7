"""`python -m kausa`."""

from __future__ import annotations

from kausa.cli import main

main()
