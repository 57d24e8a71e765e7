"""A certificate that is renewed under a running worker."""

from __future__ import annotations

import contextlib
import ssl
import subprocess
from pathlib import Path

import pytest

from kausa_embedder.service.tls import Certificate
from kausa_embedder.settings import InvalidSettingsError


def make_pair(folder: Path, name: str) -> tuple[Path, Path]:
    cert, key = folder / f"{name}.crt", folder / f"{name}.key"
    subprocess.run(
        f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 "
        f"-subj /CN={name} -addext subjectAltName=DNS:{name} -keyout {key} -out {cert}".split(),
        check=True,
        capture_output=True,
    )
    return cert, key


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, Path]]:
    folder = tmp_path_factory.mktemp("tls")
    return [make_pair(folder, "old"), make_pair(folder, "new")]


def served_name(context: ssl.SSLContext, trusted: Path) -> str:
    """Whom a client that trusts this certificate sees, without a network."""
    client = ssl.create_default_context(cafile=str(trusted))
    client.check_hostname = False
    ends = [ssl.MemoryBIO() for _ in range(4)]
    ours = client.wrap_bio(ends[0], ends[1])
    theirs = context.wrap_bio(ends[2], ends[3], server_side=True)
    for _ in range(10):
        for side, out, to in ((ours, ends[1], ends[2]), (theirs, ends[3], ends[0])):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
            to.write(out.read())
    certificate = ours.getpeercert() or {}
    return str(dict(pair[0] for pair in certificate["subject"])["commonName"])  # type: ignore[misc]


def test_new_connections_see_the_new_certificate(
    pairs: list[tuple[Path, Path]], tmp_path: Path
) -> None:
    cert, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    cert.write_bytes(pairs[0][0].read_bytes())
    key.write_bytes(pairs[0][1].read_bytes())
    certificate = Certificate(cert_file=cert, key_file=key)
    assert served_name(certificate.context, pairs[0][0]) == "old"
    assert not certificate.refresh()
    cert.write_bytes(pairs[1][0].read_bytes())
    assert not certificate.refresh(), "half a pair"
    assert served_name(certificate.context, pairs[0][0]) == "old"
    key.write_bytes(pairs[1][1].read_bytes())
    assert certificate.refresh()
    assert served_name(certificate.context, pairs[1][0]) == "new"
    key.unlink()
    assert not certificate.refresh()


def test_files_that_cannot_be_used_are_named(
    pairs: list[tuple[Path, Path]], tmp_path: Path
) -> None:
    for cert, key in ((tmp_path / "absent", pairs[0][1]), (pairs[0][0], pairs[1][1])):
        with pytest.raises(InvalidSettingsError, match="KAUSA_EMBEDDER_TLS_CERT_FILE"):
            Certificate(cert_file=cert, key_file=key)
