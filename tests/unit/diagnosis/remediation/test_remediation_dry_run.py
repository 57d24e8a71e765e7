"""What the API server says of a patch is told as it is; where it was not asked, why not."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from kausa.cluster import errors
from kausa.diagnosis.finding import Diagnosis, Fix, Patch
from kausa.diagnosis.remediation.dry_run import DryRuns, not_asked
from kausa.resources.category import Category
from kausa.resources.diagnosis import DecidedBy, DryRun

PATCH = Patch(
    api_version="apps/v1",
    kind="Deployment",
    name="checkout",
    namespace="shop",
    body={"spec": {"replicas": 2}},
)
PLAIN = Fix(title="look", rationale="", command="kubectl get pods")


def diagnosis(*patches: Patch) -> Diagnosis:
    return Diagnosis(
        category=Category.OTHER,
        summary="",
        root_cause="",
        explanation="",
        confidence=1,
        decided_by=DecidedBy.RULES,
        citations=(),
        fixes=(*(Fix(title="t", rationale="r", patch=each) for each in patches), PLAIN),
    )


class FakeServer:
    def __init__(self, answer: Exception | None = None) -> None:
        self.answer = answer
        self.asked: list[tuple[str, Mapping[str, Any]]] = []

    async def dry_run(
        self, path: str, patch: Mapping[str, Any], *, timeout_seconds: float = 1.0
    ) -> None:
        self.asked.append((path, patch))
        if self.answer is not None:
            raise self.answer


async def outcome(answer: Exception | None, patch: Patch = PATCH) -> tuple[DryRun, str]:
    runs = DryRuns(client=FakeServer(answer), redact=lambda text: text.replace("hunter2", "***"))
    fix, plain = (await runs.check(diagnosis(patch))).fixes
    assert plain == PLAIN
    return fix.dry_run, fix.dry_run_message


def api(status: int, message: str) -> Exception:
    return errors.api_error(status=status, reason="", message=message)


NO_RIGHT = (
    'deployments.apps "checkout" is forbidden: User "kausa" cannot patch resource "deployments" '
    'in API group "apps" in the namespace "shop"'
)


@pytest.mark.parametrize(
    ("answer", "expected", "message"),
    [
        (None, DryRun.PASSED, ""),
        (
            api(403, NO_RIGHT),
            DryRun.NOT_RUN,
            "Kausa may not patch deployments.apps in namespace shop, which a dry run needs "
            "(hack/rbac-dry-run.yaml)",
        ),
        (
            api(403, "admission webhook policy denied the request: no latest"),
            DryRun.FAILED,
            "admission webhook policy denied the request: no latest",
        ),
        (
            api(422, "spec.replicas: must not be hunter2"),
            DryRun.FAILED,
            "spec.replicas: must not be ***",
        ),
        (api(400, 'unknown field "spec.x"'), DryRun.FAILED, 'unknown field "spec.x"'),
        (
            api(400, "admission webhook old does not support dry run"),
            DryRun.NOT_RUN,
            "admission webhook old does not support dry run",
        ),
        (api(404, "not found"), DryRun.NOT_RUN, "Deployment checkout is not there any more"),
        (api(503, "busy"), DryRun.NOT_RUN, "busy"),
        (errors.ApiUnreachableError("no answer in time."), DryRun.NOT_RUN, "no answer in time."),
        (errors.LeadershipLostError("not sent"), DryRun.NOT_RUN, "not sent"),
    ],
)
async def test_each_answer_is_told(
    answer: Exception | None, expected: DryRun, message: str
) -> None:
    assert await outcome(answer) == (expected, message)


async def test_it_is_asked_once_about_each_patch_and_about_nothing_else() -> None:
    server = FakeServer()
    runs = DryRuns(client=server, redact=str)
    await runs.check(diagnosis(PATCH, PATCH))
    path = "/apis/apps/v1/namespaces/shop/deployments/checkout"
    assert server.asked == [(path, PATCH.body)] * 2
    server.asked.clear()
    assert await runs.check(diagnosis()) == diagnosis()
    assert not server.asked


async def test_a_kind_or_a_name_that_has_no_url_is_not_asked_about() -> None:
    for odd in ({"kind": "Rollout", "api_version": "argoproj.io/v1"}, {"name": "a/b"}):
        patch = Patch(**{**{name: getattr(PATCH, name) for name in PATCH.__slots__}, **odd})
        assert (await outcome(None, patch))[0] is DryRun.NOT_RUN


async def test_patches_are_asked_about_at_the_same_time() -> None:
    class Slow(FakeServer):
        async def dry_run(self, *arguments: Any, **known: Any) -> None:
            self.asked.append(arguments)
            while len(self.asked) < 3:
                await asyncio.sleep(0)

    async with asyncio.timeout(5):
        checked = await DryRuns(client=Slow(), redact=str).check(diagnosis(PATCH, PATCH, PATCH))
    assert [each.dry_run for each in checked.fixes[:3]] == [DryRun.PASSED] * 3


def test_without_a_cluster_every_patch_says_so() -> None:
    fix, plain = not_asked(diagnosis(PATCH), why="no cluster").fixes
    assert (fix.dry_run, fix.dry_run_message) == (DryRun.NOT_RUN, "no cluster")
    assert plain == PLAIN
