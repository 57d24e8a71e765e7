"""Every alert is written down, checked by promtool, and fires when it should and not else."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart.observing import (
    ALERTS,
    GROUPS,
    METRICS_PAGE,
    PROMTOOL_TESTS,
    Alert,
    alerts,
    groups,
    page_row,
    tool,
)

pytestmark = [pytest.mark.chart, pytest.mark.timeout(180)]
EVERY = pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert.name)
SEVERITIES = {"critical", "warning", "info"}


def promtool(*arguments: str | Path) -> str:
    done = subprocess.run(
        [tool("promtool"), *arguments], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_promtool_finds_nothing_wrong_with_the_rules() -> None:
    said = promtool("check", "rules", "--lint=all", "--lint-fatal", ALERTS)
    rules = sum(len(each) for each in groups().values())
    assert f"{rules} rules found" in said


@pytest.mark.parametrize("tests", PROMTOOL_TESTS, ids=lambda path: path.stem)
def test_alerts_fire_when_they_should_and_not_before_their_time_and_not_while_all_is_well(
    tests: Path,
) -> None:
    assert "SUCCESS" in promtool("test", "rules", tests)


def test_promtool_sees_when_an_alert_does_not_do_what_its_test_says(tmp_path: Path) -> None:
    """So that a test that asks for nothing is not taken for one that is passed."""
    broken = tmp_path / "alerts.yaml"
    broken.write_text(
        ALERTS.read_text().replace(
            "kausa_memory_ingest_queued > 1500", "kausa_memory_ingest_queued > 0"
        )
    )
    tests = next(each for each in PROMTOOL_TESTS if each.stem == "memory").read_text()
    (tmp_path / "tests.yaml").write_text(
        re.sub(r"^  - .*alerts\.yaml$", f"  - {broken}", tests, flags=re.MULTILINE)
    )
    done = subprocess.run(
        [tool("promtool"), "test", "rules", tmp_path / "tests.yaml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "KausaMemoryQueueLong" in done.stdout + done.stderr


@cache
def known_to_promtool(group: str) -> dict[str, Any]:
    """What promtool is to find of a group, by name; it may be in several files."""
    files = [each for each in PROMTOOL_TESTS if f"kausa.{each.stem.partition('-')[0]}" == group]
    loaded = [yaml.safe_load(each.read_text())["tests"] for each in files]
    return {each["name"]: each for tests in loaded for each in tests}


@EVERY
def test_every_alert_has_a_test_that_it_fires_and_one_that_it_is_quiet(alert: Alert) -> None:
    tests = known_to_promtool(alert.group)
    firing = f'ALERTS{{alertname="{alert.name}", alertstate="firing"'
    fires, quiet = tests[f"{alert.name} fires"], tests[f"{alert.name} is quiet"]
    early, late = fires["promql_expr_test"]
    assert firing in early["expr"]
    assert "exp_samples" not in early
    assert firing in late["expr"]
    assert late["exp_samples"] == [{"labels": "{}", "value": 1}]
    (at_rest,) = quiet["promql_expr_test"]
    assert at_rest["expr"] == firing + "}"
    assert "exp_samples" not in at_rest
    assert quiet["input_series"] != fires["input_series"]


@EVERY
def test_every_alert_says_how_bad_it_is_what_it_means_and_what_to_do(alert: Alert) -> None:
    assert re.fullmatch(r"Kausa([A-Z][a-z]+)+", alert.name)
    assert alert.severity in SEVERITIES
    assert alert.annotations.keys() == {"summary", "description", "runbook"}
    for name, text in alert.annotations.items():
        assert text.endswith("."), name
        assert "\n" not in text.strip()
    assert len(alert.annotations["summary"]) <= 80
    assert len(alert.annotations["runbook"]) >= 40


def test_no_alert_has_the_name_of_another_and_no_group_is_new() -> None:
    names = [each.name for each in alerts()]
    assert len(names) == len(set(names))
    assert [each.removeprefix("kausa.") for each in groups()] == list(GROUPS)


@EVERY
def test_every_alert_stands_on_the_page_of_metrics_as_it_is(alert: Alert) -> None:
    assert page_row(alert) in METRICS_PAGE.read_text().splitlines()


def test_the_page_of_metrics_tells_of_no_alert_that_is_not_there() -> None:
    rows = re.findall(r"^\| (Kausa[A-Z]\w+) \|", METRICS_PAGE.read_text(), re.MULTILINE)
    assert rows == [each.name for each in alerts()]


def test_an_alert_that_a_runbook_names_exists() -> None:
    names = {each.name for each in alerts()}
    for alert in alerts():
        text = " ".join(alert.annotations.values())
        assert set(re.findall(r"\bKausa[A-Z]\w+", text)) <= names
