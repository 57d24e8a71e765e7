"""Where traces go and whether pages are served: by our variables, or the standard one."""

from __future__ import annotations

import pytest

from kausa.errors import SettingsError
from kausa.settings import Settings

OURS, STANDARD = "KAUSA_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (OURS, STANDARD, "KAUSA_DEBUG_ENDPOINTS"):
        monkeypatch.delenv(name, raising=False)


def test_by_itself_nothing_is_traced_and_no_page_is_served() -> None:
    settings = Settings.from_environment()
    assert settings.otlp_endpoint is None
    assert settings.debug_endpoints is False


@pytest.mark.parametrize("name", [OURS, STANDARD])
def test_a_collector_is_named_by_either_variable(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "http://collector.example:4318")
    assert str(Settings.from_environment().otlp_endpoint) == "http://collector.example:4318/"


def test_our_variable_goes_before_the_standard_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OURS, "http://ours.example:4318")
    monkeypatch.setenv(STANDARD, "http://standard.example:4318")
    assert str(Settings.from_environment().otlp_endpoint) == "http://ours.example:4318/"


@pytest.mark.parametrize("name", [OURS, STANDARD])
def test_an_empty_variable_names_nobody(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "")
    assert Settings.from_environment().otlp_endpoint is None


@pytest.mark.parametrize("name", [OURS, STANDARD])
def test_what_is_no_address_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "collector:4318")
    with pytest.raises(SettingsError, match="KAUSA_OTLP_ENDPOINT"):
        Settings.from_environment()
