"""The root of every error that Kausa raises on purpose.

Each package has one tree below this root and maps foreign errors to it at its boundary, so that
nothing above ever catches an error of aiohttp, qdrant or onnxruntime.

    KausaError
    |- SettingsError                    a setting is missing or malformed        (exit code 2)
    |- kausa.cluster.errors.ClusterError
    |- kausa.memory.errors.MemoryError_
    `- kausa.diagnosis.errors.DiagnosisError
"""

from __future__ import annotations

__all__ = ["KausaError", "SettingsError"]


class KausaError(Exception):
    """Something went wrong that a person can act on.

    The message says what happened, what it means and what to do, in plain English.
    """


class SettingsError(KausaError):
    """A setting is missing or malformed; nothing was started."""
