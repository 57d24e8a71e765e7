"""HTTPS by files. A certificate is renewed while we run, so the files are looked at again."""

from __future__ import annotations

import asyncio
import logging
import ssl
from pathlib import Path

from kausa_embedder.service.logs import log_event
from kausa_embedder.settings import InvalidSettingsError

__all__ = ["Certificate"]

LOOK_SECONDS = 30.0
_log = logging.getLogger(__name__)


class Certificate:
    """A certificate and its key, and the context that serves them."""

    def __init__(self, *, cert_file: Path, key_file: Path) -> None:
        """Read both now.

        Raises:
            InvalidSettingsError: they cannot be read, or do not belong together.
        """
        self._cert_file = cert_file
        self._key_file = key_file
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._seen = self._versions()
        try:
            self.context.load_cert_chain(cert_file, key_file)
        except (OSError, ssl.SSLError) as error:
            raise InvalidSettingsError(
                f"HTTPS cannot be served with {cert_file} and {key_file} ({error}), nothing was "
                "started. Correct KAUSA_EMBEDDER_TLS_CERT_FILE and KAUSA_EMBEDDER_TLS_KEY_FILE."
            ) from error

    def refresh(self) -> bool:
        """Read the files again if they changed; connections made from now on see the new ones.

        Files that do not fit (one is written, the other not yet) leave what was, until next time.
        """
        versions = self._versions()
        if versions == self._seen:
            return False
        try:
            # Into a context that serves nobody first: half a pair would break the one that does.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self._cert_file, self._key_file)
            self.context.load_cert_chain(self._cert_file, self._key_file)
        except (OSError, ssl.SSLError) as error:
            log_event(_log, logging.WARNING, "Certificate cannot be read", why=str(error))
            return False
        self._seen = versions
        log_event(_log, logging.INFO, "Certificate was renewed")
        return True

    async def keep_fresh(self, *, every_seconds: float = LOOK_SECONDS) -> None:
        """Look at the files now and then, until cancelled."""
        while True:
            await asyncio.sleep(every_seconds)
            self.refresh()

    def _versions(self) -> tuple[int, ...]:
        try:
            return tuple(path.stat().st_mtime_ns for path in (self._cert_file, self._key_file))
        except OSError:
            return ()
