from __future__ import annotations

import pytest

from kausa.evidence.redaction import Redactor


@pytest.fixture(scope="session")
def redactor() -> Redactor:
    return Redactor(key=b"one key for one cluster")
