"""What a Pod is given to log in with is used, or refused with a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from kausa.cluster.credentials import in_cluster_credentials, read_token_file
from kausa.cluster.errors import KubeconfigError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    (tmp_path / "token").write_text("abc\n")
    (tmp_path / "namespace").write_text("kausa\n")
    (tmp_path / "ca.crt").write_text("pem")
    return tmp_path


def test_the_service_account_of_a_pod_is_used(folder: Path) -> None:
    found = in_cluster_credentials(folder=folder)
    assert found is not None
    assert (found.server, found.namespace, found.ca_pem) == (
        "https://[fd00::1]:443",
        "kausa",
        "pem",
    )


def test_outside_of_a_pod_there_is_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST")
    assert in_cluster_credentials(folder=folder) is None


def test_an_address_that_is_none_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "tcp://10.0.0.1:443")
    with pytest.raises(KubeconfigError, match="KUBERNETES_SERVICE_HOST"):
        in_cluster_credentials(folder=folder)


def test_a_certificate_that_is_no_text_is_refused(folder: Path) -> None:
    (folder / "ca.crt").write_bytes(b"\xff")
    with pytest.raises(KubeconfigError, match="is not text"):
        in_cluster_credentials(folder=folder)


@pytest.mark.parametrize("held", [b"", b"\n", b"sekret\nsekret", b"\xff", b"sekret\x00"])
def test_a_token_that_no_header_can_carry_is_refused_and_not_shown(
    tmp_path: Path, held: bytes
) -> None:
    file = tmp_path / "token"
    file.write_bytes(held)
    with pytest.raises(KubeconfigError) as caught:
        read_token_file(file)()
    assert "sekret" not in str(caught.value)
