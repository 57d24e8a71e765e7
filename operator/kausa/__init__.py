"""Kausa: the cause of every Kubernetes failure, as a resource."""

from __future__ import annotations

__version__ = "0.1.0"
__all__ = ["__version__"]
