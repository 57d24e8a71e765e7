"""The counter of the fault tests finds what is wrong; else its zeros would say nothing."""

from __future__ import annotations

from typing import Any

import pytest
from bench.faults.counting import Failure, count
from bench.faults.leaders import TakeOver, strays
from bench.faults.witness import Witness
from support.cutting_proxy import Request

pytestmark = pytest.mark.e2e

CHECKOUT = Failure(
    namespace="shop", kind="Deployment", name="checkout", container="api", category="CrashLoop"
)
TRAINER = Failure(namespace="shop", kind="Pod", name="trainer", container="", category="Scheduling")


def resource(
    failure: Failure,
    *,
    name: str = "one",
    category: str | None = None,
    occurrences: int = 1,
    diagnosed: str = "True",
) -> dict[str, Any]:
    target = {"kind": failure.kind, "name": failure.name}
    if failure.container:
        target["container"] = failure.container
    told = {"category": category or failure.category, "occurrences": occurrences}
    return {
        "metadata": {"name": name, "namespace": failure.namespace},
        "spec": {"target": target},
        "status": {
            "failure": told,
            "conditions": [{"type": "Diagnosed", "status": diagnosed}],
        },
    }


def test_one_diagnosed_resource_for_each_failure_is_exact_and_complete() -> None:
    counted = count([CHECKOUT, TRAINER], [resource(TRAINER), resource(CHECKOUT)])
    assert counted.exact
    assert counted.complete
    assert (counted.failures, counted.found) == (2, 2)


def test_a_failure_without_a_resource_is_lost() -> None:
    counted = count([CHECKOUT, TRAINER], [resource(TRAINER)])
    assert not counted.exact
    assert counted.lost == ("Deployment/checkout api CrashLoop; there is nothing",)


@pytest.mark.parametrize("second", ["CrashLoop", "OOMKilled"])
def test_two_resources_of_one_workload_are_doubled_also_when_they_differ_in_class(
    second: str,
) -> None:
    resources = [resource(CHECKOUT), resource(CHECKOUT, name="two", category=second)]
    counted = count([CHECKOUT], resources)
    assert not counted.exact
    assert len(counted.doubled) == 1
    assert not counted.lost


def test_a_resource_of_another_class_or_container_or_without_a_status_does_not_count() -> None:
    other = resource(CHECKOUT)
    other["spec"]["target"]["container"] = "sidecar"
    bare = resource(CHECKOUT)
    del bare["status"]
    for each in (resource(CHECKOUT, category="OOMKilled"), other, bare):
        assert len(count([CHECKOUT], [each]).lost) == 1


def test_a_resource_of_what_never_failed_is_unexpected() -> None:
    counted = count([CHECKOUT], [resource(CHECKOUT), resource(TRAINER)])
    assert len(counted.unexpected) == 1
    assert not counted.exact


def test_another_failure_of_another_part_of_a_failing_workload_is_unexpected() -> None:
    mount = resource(CHECKOUT, name="two", category="Volume")
    del mount["spec"]["target"]["container"]
    counted = count([CHECKOUT], [resource(CHECKOUT), mount])
    assert (len(counted.unexpected), counted.doubled) == (1, ())
    assert not counted.exact


def test_a_resource_that_is_not_diagnosed_is_found_and_not_complete() -> None:
    counted = count([CHECKOUT], [resource(CHECKOUT, diagnosed="False")])
    assert counted.found == 1
    assert not counted.complete


def test_a_count_that_goes_back_is_seen_also_through_a_deletion() -> None:
    eyes = Witness(kubeconfig="", namespace="shop")
    for occurrences in (3, 7, 7):
        eyes.saw(resource(CHECKOUT, occurrences=occurrences))
    assert eyes.went_back == []
    eyes.saw(resource(CHECKOUT, occurrences=2))
    eyes.saw(resource(CHECKOUT, occurrences=2))
    assert eyes.went_back == ["one: 7 -> 2"]


def request(at: float) -> Request:
    return Request(at=at, method="PATCH", path="/")


@pytest.mark.parametrize(
    ("a", "b", "found"),
    [
        ((1.0, 4.9), (6.0, 9.0), 0),
        # The old one goes on a little after it was told to end: so does a drain.
        ((1.0, 5.5), (6.0, 9.0), 0),
        ((1.0, 7.0), (6.0, 9.0), 1),
        # Before it leads it may not write.
        ((1.0,), (2.0, 9.0), 1),
    ],
)
def test_a_write_by_one_that_does_not_lead_is_found(
    a: tuple[float, ...], b: tuple[float, ...], found: int
) -> None:
    took_over = TakeOver(how="SIGKILL", old="a", new="b", began=5.0, leads=5.9, watches=6.0)
    seen = {"a": [request(at) for at in a], "b": [request(at) for at in b]}
    assert len(strays(seen, [took_over], chosen=lambda _: True, began=0.0)) == found


def test_the_first_of_three_leaders_may_lead_again() -> None:
    first = TakeOver(how="SIGKILL", old="a", new="b", began=5.0, leads=6.0, watches=6.0)
    second = TakeOver(how="SIGTERM", old="b", new="a", began=10.0, leads=11.0, watches=11.0)
    seen = {"a": [request(1.0), request(12.0)], "b": [request(7.0)]}
    assert strays(seen, [first, second], chosen=lambda _: True, began=0.0) == ()
    seen["b"].append(request(13.0))
    (said,) = strays(seen, [first, second], chosen=lambda _: True, began=0.0)
    assert said.startswith("b 3.00 s after SIGTERM, when a had begun at 2.00 s: ")
