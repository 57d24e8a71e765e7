"""What a namespace allows, against what the Pod asks for."""

from __future__ import annotations

from typing import Any

import pytest
from support.dossiers import FakeReader
from support.inquiries import bring, made, raw_pod
from support.pods import container, pod, running

from kausa.evidence.quotas import gather_quotas, limit_range_problems, quota_problems

POD = pod(container(running()))


def asking(**resources: Any) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "api", "resources": resources}]}}


def quota(hard: dict[str, str], used: dict[str, str]) -> dict[str, Any]:
    return made("ResourceQuota", "team", status={"hard": hard, "used": used})


FULL = [
    ({"pods": "3"}, {"pods": "3"}, {}, "pods 3 of 3 used, 1 more asked for"),
    (
        {"requests.cpu": "1"},
        {"requests.cpu": "900m"},
        {"requests": {"cpu": "200m"}},
        "requests.cpu 900m of 1 used, 200m more asked for",
    ),
    (
        {"limits.memory": "1Gi"},
        {"limits.memory": "0"},
        {},
        "demands limits.memory of every container",
    ),
    ({"cpu": "1"}, {"cpu": "1"}, {"requests": {"cpu": "1"}}, "cpu 1 of 1 used, 1 more"),
]


@pytest.mark.parametrize(("hard", "used", "resources", "words"), FULL)
def test_a_quota_that_leaves_too_little_says_so(
    hard: dict[str, str], used: dict[str, str], resources: dict[str, Any], words: str
) -> None:
    assert words in "; ".join(quota_problems(quota(hard, used), asking(**resources)))


@pytest.mark.parametrize(
    ("hard", "used"),
    [
        ({"pods": "3"}, {"pods": "2"}),
        ({"requests.cpu": "1"}, {"requests.cpu": "800m"}),
        ({"services": "1"}, {"services": "1"}),
        ({"requests.storage": "1Gi"}, {"requests.storage": "1Gi"}),
        ({"pods": "many"}, {"pods": "1"}),
    ],
)
def test_a_quota_that_leaves_enough_or_counts_something_else_does_not(
    hard: dict[str, str], used: dict[str, str]
) -> None:
    pod_ = asking(requests={"cpu": "200m"})
    assert not list(quota_problems(quota(hard, used), pod_))


def limits(**limit: Any) -> dict[str, Any]:
    return made("LimitRange", "sizes", spec={"limits": [{"type": "Container", **limit}]})


@pytest.mark.parametrize(
    ("limit", "resources", "words"),
    [
        ({"max": {"cpu": "700m"}}, {"limits": {"cpu": "900m"}}, "at most 700m is allowed"),
        ({"min": {"memory": "64Mi"}}, {"requests": {"memory": "32Mi"}}, "at least 64Mi"),
        ({"max": {"cpu": "700m"}}, {"limits": {"cpu": "700m"}}, ""),
        ({"max": {"cpu": "700m"}}, {}, ""),
    ],
)
def test_a_limit_range_says_what_is_too_much_or_too_little(
    limit: dict[str, Any], resources: dict[str, Any], words: str
) -> None:
    found = "; ".join(limit_range_problems(limits(**limit), asking(**resources)))
    assert words in found
    assert bool(found) is bool(words)


async def test_what_leaves_too_little_comes_first() -> None:
    spec = asking(requests={"cpu": "1"})["spec"]
    reader = FakeReader(
        manifests=(
            raw_pod(POD, **spec),
            quota({"services": "1"}, {"services": "1"}),
            {**quota({"requests.cpu": "1"}, {"requests.cpu": "1"}), "metadata": {"name": "cpu"}},
        )
    )
    found = await bring(gather_quotas, reader, pod=POD)
    assert found.evidence[0].source.name == "cpu"
    assert len(found.reading.manifests) == 2


async def test_a_namespace_without_limits_brings_nothing() -> None:
    found = await bring(gather_quotas, FakeReader(), pod=POD)
    assert not found.evidence
    assert not found.gaps
