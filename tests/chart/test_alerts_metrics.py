"""Alerts and dashboard ask for what the operator and the worker show, and for nothing else."""

from __future__ import annotations

import re

import pytest
from chart.observing import (
    METRICS_PAGE,
    Alert,
    alerts,
    expressions,
    groups,
    names_in,
    panels,
    selectors_in,
)
from support.every_metric import every_family, samples_of

from kausa.diagnosis.errors import ModelInvalidAnswer
from kausa.telemetry.metrics import Metrics

pytestmark = pytest.mark.chart

FAMILIES = every_family()
SAMPLES = {sample: name for name, family in FAMILIES.items() for sample in samples_of(name, family)}
RECORDED = {rule["record"] for rules in groups().values() for rule in rules if "record" in rule}
OF_THE_PROCESS = {
    sample.name
    for family in Metrics().registry.collect()
    for sample in family.samples
    if family.name.startswith("process_")
}
OF_KUBE_STATE_METRICS = {
    "kube_cronjob_status_last_schedule_time": {"cronjob"},
    "kube_cronjob_status_last_successful_time": {"cronjob"},
}
"""Stable there, with the labels that we use beside `namespace`; nothing of ours shows them."""
OF_THE_TARGET = {"cluster", "namespace", "job", "instance", "pod"}
"""Labels that Prometheus sets, and no metric of ours."""


def labels_of(sample: str) -> set[str]:
    family = FAMILIES[SAMPLES[sample]]
    return {label for each in family.samples for label in each.labels}


@pytest.mark.parametrize(("where", "expr"), expressions().items(), ids=expressions())
def test_a_query_names_metrics_that_exist(where: str, expr: str) -> None:
    named = names_in(expr)
    assert named
    known = SAMPLES.keys() | RECORDED | OF_THE_PROCESS | OF_KUBE_STATE_METRICS.keys()
    assert named <= known, where


@pytest.mark.parametrize(("where", "expr"), expressions().items(), ids=expressions())
def test_a_query_narrows_by_labels_that_exist(where: str, expr: str) -> None:
    for name, labels in selectors_in(expr):
        assert labels <= labels_of(name) | OF_THE_TARGET, where


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert.name)
def test_the_text_of_an_alert_names_labels_that_it_has(alert: Alert) -> None:
    text = " ".join(alert.annotations.values())
    known = set(OF_THE_TARGET)
    for name in names_in(alert.expr) & SAMPLES.keys():
        known |= labels_of(name)
    for name in names_in(alert.expr) & OF_KUBE_STATE_METRICS.keys():
        known |= OF_KUBE_STATE_METRICS[name]
    assert set(re.findall(r"\$labels\.(\w+)", text)) <= known


def test_what_is_recorded_is_used_and_named_after_what_it_is() -> None:
    used = set().union(*(names_in(each) for each in expressions().values()))
    assert used >= RECORDED - {
        # For whoever makes a dashboard of their own.
        "job:kausa_diagnosis_duration_seconds:p95_rate30m",
        "job:kausa_embedder_request_duration_seconds:p95_rate5m",
    }
    for name in RECORDED:
        level, metric, operation = name.split(":")
        assert level in {"job", "instance"}
        assert metric.startswith("kausa_")
        assert operation


def test_what_the_page_says_to_alert_on_is_what_is_alerted_on() -> None:
    rows = re.findall(
        r"^\| `(kausa_\w+)` \|(?:[^|]*\|){4}([^|]*)\|$", METRICS_PAGE.read_text(), re.M
    )
    assert len(rows) == len(FAMILIES)
    recorded = {
        rule["record"]: rule["expr"]
        for each in groups().values()
        for rule in each
        if "record" in rule
    }
    watched = set()
    for alert in alerts():
        names = names_in(alert.expr)
        for name in names & recorded.keys():
            names |= names_in(recorded[name])
        watched |= {SAMPLES[each] for each in names & SAMPLES.keys()}
    # One that is not listed stands for "nothing is diagnosed", which is about two at once.
    watched.discard("kausa_diagnosis_duration_seconds")
    assert {name for name, alert_on in rows if alert_on.strip()} == watched


def test_words_that_alerts_match_on_are_the_codes_own() -> None:
    (expr,) = (each.expr for each in alerts() if each.name == "KausaModelAnswersInvalid")
    assert f'result="{ModelInvalidAnswer.reason}"' in expr


def test_panels_have_titles_descriptions_and_places_of_their_own() -> None:
    found = panels()
    assert len({each["id"] for each in found}) == len(found)
    assert len({each["title"] for each in found}) == len(found)
    taken: set[tuple[int, int]] = set()
    for each in found:
        assert each["description"].endswith(".")
        place = each["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])
        }
        assert not cells & taken
        taken |= cells
