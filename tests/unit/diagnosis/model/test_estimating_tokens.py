"""An estimate is never much below what a model counts, and not far above it on usual logs.

The counts were taken with the tokenizer of Qwen 2.5, which reads every digit by itself.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kausa.diagnosis.model.prompt.estimating import estimated
from kausa.diagnosis.model.prompt.tokens import TokenCounter

CASES = Path(__file__).parents[3] / "cases_for_models"
FALLS_SHORT, GOES_BEYOND = 0.93, 1.4
LAST = 3_000
"""Characters of a log that were counted."""


def _bytes(number: int) -> bytes:
    return b"".join(hashlib.blake2b(str(each).encode()).digest() for each in range(number))


TEXTS = {
    "digits": ("".join(str(each % 10) for each in _bytes(24))[:1500], 1500),
    "digits in prose": (
        " ".join(f"took {each * 7919:06d} ms from offset {each * 104729}" for each in _bytes(1)),
        1289,
    ),
    "base64": (base64.b64encode(_bytes(18)).decode(), 1149),
    "hex": (_bytes(12).hex(), 1342),
    "JSON": (
        json.dumps(
            [
                {"id": each, "name": f"svc-{each}", "tags": ["a", "b"], "ok": True, "v": each * 3.5}
                for each in range(30)
            ]
        ),
        1149,
    ),
    "Chinese": (
        "容器因为缺少环境变量而无法启动,请检查部署的配置。数据库连接失败,正在重试。" * 10,
        230,
    ),
    "Japanese": (
        "コンテナは環境変数がないため起動できません。データベースへの接続に失敗しました。" * 10,
        230,
    ),
    "Russian": (
        "Контейнер не запускается, потому что отсутствует переменная окружения. " * 10,
        221,
    ),
    "German": (
        "Der Container startet nicht, weil die Umgebungsvariable fehlt. Bitte prüfen Sie die "
        "Konfiguration. " * 10,
        261,
    ),
    "Hindi": ("कंटेनर शुरू नहीं हो सकता क्योंकि चर गायब है। " * 10, 421),
    "prose": (
        "The container could not be started because the variable that it needs is not set in the "
        "deployment. " * 10,
        191,
    ),
}
LOGS = {
    "scored-01-licence-seats": 1051,
    "scored-03-clock-behind": 626,
    "scored-05-flag-needs-another": 313,
    "scored-07-topic-dropped": 1051,
    "scored-09-region-closed": 653,
    "scored-13-vault-is-sealed": 438,
    "scored-15-model-wants-another-column": 574,
    "scored-17-files-of-a-newer-version": 1495,
    "scored-19-standby-takes-no-writes": 678,
    "scored-21-signed-for-the-sandbox": 617,
    "scored-23-mesh-does-not-know-this-group": 770,
    "tuning-02-leader-speaks-newer-protocol": 1342,
    "tuning-04-schema-two-releases-behind": 684,
    "tuning-06-partitions-do-not-fit": 1524,
    "tuning-08-data-folder-of-another-cluster": 775,
    "tuning-12-node-id-taken": 530,
    "tuning-16-key-ring-rotated": 690,
    "tuning-20-lease-of-the-old-scheduler": 857,
    "tuning-22-module-built-for-older-host": 516,
}


@pytest.mark.parametrize("name", TEXTS)
def test_no_kind_of_text_is_counted_far_too_short(name: str) -> None:
    text, counted = TEXTS[name]
    assert TokenCounter().count(text) >= counted * FALLS_SHORT


@pytest.mark.parametrize("case", LOGS)
def test_usual_logs_are_neither_counted_too_short_nor_far_too_long(case: str) -> None:
    (path,) = (CASES / case).rglob("*.previous.log")
    text = path.read_text()[-LAST:]
    assert FALLS_SHORT <= TokenCounter().count(text) / LOGS[case] <= GOES_BEYOND


@settings(max_examples=100)
@given(st.text(), st.text())
def test_more_text_is_never_fewer_tokens_and_nothing_is_none(one: str, other: str) -> None:
    assert estimated("") == 0
    both = estimated(f"{one}\n{other}")
    assert both >= 0.95 * max(estimated(one), estimated(other))
    # Lines are counted one by one while a prompt is put together.
    assert both <= estimated(f"{one}\n") + estimated(other) + 1


def test_a_megabyte_is_counted_in_no_time() -> None:
    started = time.process_time()
    assert estimated("a1 B7x: " * 125_000) > 100_000
    assert time.process_time() - started < 5
