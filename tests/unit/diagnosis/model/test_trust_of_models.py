"""A model server whose certificate a company's own authority signed, over a real connection."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from pydantic import HttpUrl
from support.fake_model_server import FakeModelServer, Kind
from support.model_clients import ANSWER, MESSAGES, SCHEMA, ask

from kausa.diagnosis.errors import ModelUnavailable
from kausa.diagnosis.model.clients import ModelClient
from kausa.diagnosis.model.opening import open_models
from kausa.diagnosis.model.trust import trust_of, untrusted_certificate
from kausa.errors import SettingsError
from kausa.settings import Settings

pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="makes certificates with openssl"
)

URL = "https://127.0.0.1"
FORMS = """
[req]
distinguished_name = names
[names]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = IP:127.0.0.1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """Its root signed an issuing authority, and that the server's certificate."""

    folder: Path
    tls: ssl.SSLContext

    @property
    def root(self) -> Path:
        return self.folder / "root.crt"

    @property
    def issuing(self) -> Path:
        return self.folder / "issuing.crt"


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    folder = tmp_path_factory.mktemp("company")
    (folder / "forms.cnf").write_text(FORMS)
    signed(folder, "root", form="authority")
    signed(folder, "issuing", form="authority", by="root")
    signed(folder, "server", form="server", by="issuing")
    signed(folder, "other", form="authority")
    chain = folder / "chain.crt"
    chain.write_text((folder / "server.crt").read_text() + (folder / "issuing.crt").read_text())
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(chain, folder / "server.key")
    return Company(folder=folder, tls=tls)


def signed(folder: Path, name: str, *, form: str, by: str | None = None) -> None:
    signer = () if by is None else ("-CA", f"{by}.crt", "-CAkey", f"{by}.key")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", f"/CN={name}", "-config", "forms.cnf"),
            *("-extensions", form, "-keyout", f"{name}.key", "-out", f"{name}.crt", *signer),
        ],
        check=True,
        capture_output=True,
        cwd=folder,
    )


@pytest.fixture(params=["ollama", "openai"])
async def server(
    request: pytest.FixtureRequest, company: Company
) -> AsyncIterator[FakeModelServer]:
    fake = FakeModelServer(request.param, tls=company.tls)
    fake.script = [fake.says(ANSWER)]
    await fake.start()
    yield fake
    await fake.stop()


@asynccontextmanager
async def model(url: str, kind: Kind, *, ca_file: Path | None) -> AsyncIterator[ModelClient]:
    """As the settings make it."""
    settings = Settings(
        model_url=HttpUrl(url), model_kind=kind, simple_model="tiny", model_ca_file=ca_file
    )
    models = open_models(settings, redact=str)
    assert models is not None
    try:
        yield models.client("tiny")
    finally:
        await models.close()


# -- the connection ------------------------------------------------------------------------------


@pytest.mark.parametrize("authority", ["root", "issuing"])
async def test_with_the_file_the_question_is_answered(
    server: FakeModelServer, company: Company, authority: str
) -> None:
    ca_file = company.folder / f"{authority}.crt"
    async with model(server.url, server.kind, ca_file=ca_file) as asked:
        await asked.check(deadline_seconds=5)
        assert (await ask(asked)).text == ANSWER


async def test_without_the_file_the_error_names_the_remedy_and_nothing_was_sent(
    server: FakeModelServer,
) -> None:
    async with model(server.url, server.kind, ca_file=None) as asked:
        for attempt in (ask(asked), asked.check(deadline_seconds=5)):
            with pytest.raises(ModelUnavailable, match=r"is not trusted \(.+\)") as caught:
                await attempt
            assert server.url in str(caught.value)
            assert "set KAUSA_MODEL_CA_FILE to a PEM file" in str(caught.value)
    assert server.requests == []


async def test_another_authority_is_not_enough(server: FakeModelServer, company: Company) -> None:
    async with model(server.url, server.kind, ca_file=company.folder / "other.crt") as asked:
        with pytest.raises(ModelUnavailable, match="where that is set, the file lacks it"):
            await ask(asked)


async def test_another_name_is_not_mended_by_another_authority(
    server: FakeModelServer, company: Company
) -> None:
    url = server.url.replace("127.0.0.1", "localhost")
    async with model(url, server.kind, ca_file=company.root) as asked:
        with pytest.raises(ModelUnavailable, match="is not trusted") as caught:
            await ask(asked)
    assert "KAUSA_MODEL_URL has to name the server" in str(caught.value)
    assert "KAUSA_MODEL_CA_FILE" not in str(caught.value)


class Counted:
    """As whoever pays for a question is told of its attempts."""

    def __init__(self) -> None:
        self.read: list[bool] = []

    def failed(self, *, read: bool) -> None:
        self.read.append(read)

    def may_repeat(self) -> bool:
        return True


async def test_a_certificate_is_not_tried_again_and_costs_nothing(server: FakeModelServer) -> None:
    attempts = Counted()
    async with model(server.url, server.kind, ca_file=None) as asked:
        with pytest.raises(ModelUnavailable):
            await asked.complete(
                MESSAGES,
                schema=SCHEMA,
                deadline_seconds=5,
                think=False,
                max_output_tokens=200,
                attempts=attempts,
            )
    assert attempts.read == [False]


@pytest.mark.parametrize("code", [9, 10])
def test_a_certificate_of_another_time_has_to_be_renewed(code: int) -> None:
    refused = ssl.SSLCertVerificationError(1, "certificate verify failed")
    refused.verify_code, refused.verify_message = code, "certificate has expired"
    error = httpx.ConnectError("it failed")
    error.__cause__ = refused
    words = untrusted_certificate(error, where="https://model")
    assert words is not None
    assert "has to be renewed" in words
    assert "KAUSA_MODEL_CA_FILE" not in words


def test_what_is_no_certificate_is_none() -> None:
    assert untrusted_certificate(httpx.ConnectError("refused"), where="https://model") is None
    ring = ConnectionError("refused")
    ring.__cause__ = other = ConnectionError("again")
    other.__cause__ = ring
    assert untrusted_certificate(ring, where="https://model") is None


# -- the file ------------------------------------------------------------------------------------


def test_the_authorities_that_are_trusted_anyway_still_are(company: Company) -> None:
    usual = httpx.create_ssl_context().cert_store_stats()["x509_ca"]
    trusted = trust_of(company.root, url=URL)
    assert isinstance(trusted, ssl.SSLContext)
    assert trusted.cert_store_stats()["x509_ca"] == usual + 1
    assert trusted.verify_mode is ssl.CERT_REQUIRED
    assert trusted.check_hostname


def test_several_certificates_with_comments_are_read(company: Company, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    authorities = [company.root.read_text(), (company.folder / "other.crt").read_text()]
    path.write_text("\ufeff# Prüfstelle\r\n" + "# weitere\n".join(authorities), encoding="utf-8")
    usual = httpx.create_ssl_context().cert_store_stats()["x509_ca"]
    trusted = trust_of(path, url=URL)
    assert isinstance(trusted, ssl.SSLContext)
    assert trusted.cert_store_stats()["x509_ca"] == usual + 2


@pytest.fixture
def unfit(company: Company, tmp_path: Path) -> dict[str, Path]:
    whole = company.root.read_text()
    made = {
        name: tmp_path / name
        for name in ("absent", "folder", "empty", "words", "key", "half", "binary", "pipe", "large")
    }
    made["folder"].mkdir()
    made["empty"].touch()
    made["words"].write_text("the certificate of our company")
    made["key"].write_text((company.folder / "root.key").read_text())
    made["half"].write_text(whole + whole[: len(whole) // 2])
    made["binary"].write_bytes(ssl.PEM_cert_to_DER_cert(whole))
    os.mkfifo(made["pipe"])
    with made["large"].open("wb") as file:
        file.truncate(5 * 1024 * 1024)
    made["beneath"] = made["empty"] / "ca.crt"
    return made


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("absent", r"cannot be read \(No such file or directory\)"),
        ("beneath", r"cannot be read \(Not a directory\)"),
        *((each, "holds no certificate") for each in ("folder", "empty", "words", "key", "half")),
        *((each, "holds no certificate") for each in ("binary", "pipe")),
        ("large", "larger than 4 MiB"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_at_the_start(
    unfit: dict[str, Path], name: str, why: str
) -> None:
    settings = Settings(model_url=HttpUrl(URL), model_ca_file=unfit[name])
    with pytest.raises(SettingsError, match=why) as caught:
        open_models(settings, redact=str)
    told = str(caught.value)
    assert f"KAUSA_MODEL_CA_FILE names, {unfit[name]}," in told
    assert ". Name " in told


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_refused(company: Company, tmp_path: Path) -> None:
    path = tmp_path / "ca.crt"
    path.write_text(company.root.read_text())
    path.chmod(0)
    with pytest.raises(SettingsError, match=r"cannot be read \(Permission denied\)"):
        trust_of(path, url=URL)


def test_a_file_for_plain_http_is_refused(company: Company) -> None:
    with pytest.raises(SettingsError, match="KAUSA_MODEL_URL is plain http"):
        trust_of(company.root, url="http://ollama:11434/")


def test_without_an_address_no_file_is_read() -> None:
    settings = Settings(model_url=None, model_ca_file=Path("/absent"))
    assert open_models(settings, redact=str) is None
