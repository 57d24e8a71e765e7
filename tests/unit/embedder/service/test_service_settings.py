"""What may be set, and what is said of what may not; the command line on top of it."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path

import pytest
from pydantic import SecretStr

from kausa_embedder import cli
from kausa_embedder.service import server
from kausa_embedder.service.logs import configure_logs, log_event
from kausa_embedder.settings import InvalidSettingsError, Settings


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAUSA_EMBEDDER_MODEL", "cpu")
    monkeypatch.setenv("KAUSA_EMBEDDER_QUEUE_TOKENS", "2048")
    monkeypatch.setenv("KAUSA_EMBEDDER_MODEL_PATH", "/models/mine")
    monkeypatch.setenv("KAUSA_EMBEDDER_THREADS", "")
    options = Settings.from_environment().engine_options()
    assert (options.model, options.queue_tokens) == ("cpu", 2048)
    assert (options.folder, options.threads) == (Path("/models/mine"), None)


def test_what_is_said_on_the_command_line_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAUSA_EMBEDDER_PORT", "1")
    assert Settings.from_environment(port=2, host=None).port == 2


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORT", "70000"),
        ("QUEUE_TOKENS", "many"),
        ("PROVIDER", "tpu"),
        ("MAX_TEXTS", "0"),
        ("DRAIN_SECONDS", "-1"),
    ],
)
def test_a_bad_value_is_named_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(f"KAUSA_EMBEDDER_{variable}", value)
    with pytest.raises(InvalidSettingsError, match=f"KAUSA_EMBEDDER_{variable}: .*"):
        Settings.from_environment()


@pytest.mark.parametrize(
    "given",
    [
        {"tls_cert_file": "/tls.crt"},
        {"tls_key_file": "/tls.key"},
        {"token": "a", "token_file": "/token"},
    ],
)
def test_what_does_not_go_together_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(InvalidSettingsError, match=r"TLS_CERT_FILE|TOKEN_FILE"):
        Settings.from_environment(**given)


def test_a_cross_encoder_can_be_done_without() -> None:
    assert Settings(reranker="none").engine_options().reranker == ""
    assert Settings().engine_options().reranker is None


def test_the_token_comes_from_a_file_and_is_never_shown(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("very-secret\n")
    settings = Settings(token_file=path)
    token = settings.bearer_token()
    assert token is not None
    assert token.get_secret_value() == "very-secret"
    assert "very-secret" not in repr(Settings(token=SecretStr("very-secret")))
    path.write_text(" \n")
    with pytest.raises(InvalidSettingsError, match="empty"):
        settings.bearer_token()
    path.unlink()
    with pytest.raises(InvalidSettingsError, match="KAUSA_EMBEDDER_TOKEN_FILE"):
        settings.bearer_token()


def test_the_command_line_serves_with_its_options(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Settings] = []

    def run(settings: Settings) -> int:
        seen.append(settings)
        return 0

    monkeypatch.setattr(server, "run", run)
    arguments = ["serve", "--port", "18080", "--model", "cpu", "--log-level", "error"]
    assert cli.main(arguments) == 0
    assert (seen[0].port, seen[0].model, seen[0].log_level) == (18080, "cpu", "error")


def test_a_bad_setting_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["serve", "--port", "99999"]) == 2
    assert "KAUSA_EMBEDDER_PORT" in capsys.readouterr().err


def test_fetching_a_model_that_nobody_knows_is_exit_code_1(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["fetch", "--model", "no-such-model"]) == 1
    assert "no-such-model" in capsys.readouterr().err


@pytest.mark.parametrize("style", ["json", "text"])
def test_a_line_has_what_happened_and_where_and_not_what_an_error_said(style: str) -> None:
    out = io.StringIO()
    configure_logs(style="json" if style == "json" else "text", level="info", stream=out)
    logger = logging.getLogger("kausa_embedder.test")
    log_event(logger, logging.DEBUG, "Not seen")
    try:
        raise ValueError("a text of somebody")
    except ValueError:
        logger.exception("Failed")
    log_event(logger, logging.INFO, "Ready", model="m")
    first, second = out.getvalue().splitlines()
    assert "somebody" not in out.getvalue()
    assert "test_service_settings.py" in first
    if style == "json":
        line = json.loads(second)
        assert (line["event"], line["model"], line["level"]) == ("Ready", "m", "info")
        assert line["time"].endswith("Z")
    else:
        assert "model=m" in second
