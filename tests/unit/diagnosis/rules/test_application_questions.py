"""Somebody asks about a Pod that looks healthy: its log answers; else it is healthy."""

from __future__ import annotations

import pytest
from support.pods import container
from support.rule_dossiers import gathered, raw_pod

from kausa.diagnosis.finding import Diagnosis
from kausa.diagnosis.rules.engine import decide_by_rules
from kausa.resources.category import Category

WELL = raw_pod(
    containers=[{"name": "api", "image": "shop/api:1"}],
    statuses=[container({"running": {"startedAt": "2026-01-02T03:04:05Z"}}, ready=True)],
    ready=True,
)
NOISE = "".join(f'{{"level":"info","msg":"served request {n}"}}\n' for n in range(50))
TROUBLE = (
    '{"level":"error","msg":"cannot reach stock-db:5432: connection refused","attempt":3}\n'
    '{"level":"error","msg":"order not stored: stock unavailable","status":503}\n'
)


def asked(log: str, question: str | None = "Why do orders fail?") -> Diagnosis:
    return decide_by_rules(gathered(WELL, log=log, question=question))


def test_errors_are_told_in_the_order_in_which_they_began() -> None:
    answer = asked(NOISE + TROUBLE + NOISE)
    assert answer.category is Category.DEPENDENCY
    assert "stock-db:5432" in answer.summary
    first, second = (answer.root_cause.index(word) for word in ("cannot reach", "order not stored"))
    assert first < second
    assert answer.confidence < 80


def test_the_same_log_says_nothing_where_nobody_asked() -> None:
    answer = asked(NOISE + TROUBLE + NOISE, question=None)
    assert answer.category is None
    assert "no failure found" in answer.summary


def test_a_log_without_trouble_answers_that_nothing_fails() -> None:
    answer = asked(NOISE)
    assert "no failure found" in answer.summary


def test_a_configuration_that_was_read_again_before_the_trouble_is_the_cause() -> None:
    change = '{"level":"info","msg":"configuration reloaded from /etc/shop.yaml"}\n'
    after = "".join(f'{{"level":"warn","msg":"degraded: lookup {n} slow"}}\n' for n in range(30))
    answer = asked(NOISE * 20 + change + after * 20, question="Why is it slow?")
    assert answer.category is Category.CONFIG
    assert "configuration" in answer.summary
    assert "degraded" in answer.root_cause


@pytest.mark.parametrize(
    ("line", "category"),
    [
        ("INFO database query completed in 7.25 seconds\n", Category.DEPENDENCY),
        ("INFO request served, duration_ms=4200\n", Category.OTHER),
    ],
)
def test_slow_operations_are_found_where_somebody_asks_why_it_is_slow(
    line: str, category: Category
) -> None:
    quick = "INFO database query completed in 0.02 seconds\n" * 20
    answer = asked(quick + line + quick, question="Why is the latency so high?")
    assert answer.category is category
    assert "slow" in answer.summary


def test_slow_operations_are_not_told_where_somebody_asks_for_something_else() -> None:
    answer = asked("INFO nightly report completed in 90 seconds\n", question="Is it up to date?")
    assert "no failure found" in answer.summary
