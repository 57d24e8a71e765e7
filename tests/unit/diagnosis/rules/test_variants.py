"""Failures as components of many makers and versions tell of them, from objects to the answer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.variants import answer_to

HERE = Path(__file__).parent
FAILURES = yaml.safe_load((HERE / "variants.yaml").read_text("utf-8"))
HEALTHY = yaml.safe_load((HERE / "healthy_variants.yaml").read_text("utf-8"))


@pytest.mark.slow
@pytest.mark.parametrize("variant", FAILURES, ids=lambda each: str(each["id"]))
def test_a_failure_is_told_by_its_category_and_its_words(variant: dict[str, Any]) -> None:
    answer = answer_to(variant)
    diagnosis = answer.diagnosis
    said = f"{diagnosis.summary}\n{diagnosis.root_cause}"
    assert answer.fails, said
    assert diagnosis.category is not None
    assert diagnosis.category.value in variant["category"].split("|"), said
    missing = [each for each in variant["says"] if not re.search(each, said, re.I)]
    assert not missing, said
    assert len(said) <= 701


@pytest.mark.parametrize("variant", HEALTHY, ids=lambda each: str(each["id"]))
def test_what_does_well_is_not_said_to_fail(variant: dict[str, Any]) -> None:
    answer = answer_to(variant)
    assert not answer.fails, f"{answer.diagnosis.summary}\n{answer.diagnosis.root_cause}"
