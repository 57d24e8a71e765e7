"""The secret behind the placeholders: made once for an installation, readable by its user alone."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from kausa.telemetry.logs import get_logger

__all__ = ["load_or_make_key"]

KEY_BYTES = 32
_logger = get_logger("kausa.evidence.redaction_key")


def load_or_make_key(path: Path) -> bytes:
    """The key in the file, or a new one put there.

    Where no file can be kept the key is new at every start: placeholders change then, and nothing
    else; a log line says so.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        made = path.with_suffix(f".{os.getpid()}.new")
        if not path.exists():
            made.touch(mode=0o600)
            made.write_bytes(secrets.token_bytes(KEY_BYTES))
            try:
                os.link(made, path)  # the first of two processes wins
            except FileExistsError:
                pass
            finally:
                made.unlink()
        key = path.read_bytes()
        if len(key) >= KEY_BYTES:
            return key
        why = f"it holds {len(key)} bytes instead of {KEY_BYTES}"
    except OSError as error:
        why = str(error)
    _logger.warning(
        "Redaction placeholders will change with every restart: no key could be kept",
        path=str(path),
        why=why,
    )
    return secrets.token_bytes(KEY_BYTES)
