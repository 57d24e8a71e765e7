"""What all tests of single parts share: authorities that are quick to read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest

_END = "-----END CERTIFICATE-----\n"


@pytest.fixture(scope="session", autouse=True)
def _one_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Every client of a server reads whom it may trust, and no test meets any of them.

    All authorities of the world take longer to read than most tests take to run.
    """
    bundle: Path = tmp_path_factory.mktemp("authorities") / "one.pem"
    bundle.write_text(certifi.contents().partition(_END)[0] + _END)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SSL_CERT_FILE", str(bundle))
        yield
