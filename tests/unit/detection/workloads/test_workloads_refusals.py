"""Why the API server refuses what controllers create, and when two refusals are the same."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.objects import NOW, note

from kausa.detection.verdict import HEALTHY
from kausa.detection.workloads.creation import creation_refused, refused
from kausa.detection.workloads.refusals import is_passing, parse_refusal
from kausa.resources.category import Category

QUOTA = (
    'pods "web-7885cc5bf8-p95nb" is forbidden: exceeded quota: tight, requested: pods=1, '
    "used: pods=1, limited: pods=1"
)
ACCOUNT = (
    'pods "web-7cccfbbc4d-" is forbidden: error looking up service account shop/builder: '
    'serviceaccount "builder" not found'
)


@pytest.mark.parametrize(
    ("message", "shape", "category"),
    [
        (QUOTA, "quota-exceeded", Category.QUOTA),
        (f"Error creating: {ACCOUNT}", "service-account", Category.ADMISSION),
        (
            'pods "a" is forbidden: maximum cpu usage per Container is 450m, but limit is 600m',
            "limit-range",
            Category.QUOTA,
        ),
        (
            'pods "a" is forbidden: minimum memory usage per Container is 64Mi.  No request is '
            "specified",
            "limit-range",
            Category.QUOTA,
        ),
        (
            'pods "a" is forbidden: cpu max limit to request ratio per Container is 2, but '
            "provided ratio is 4.000000",
            "limit-ratio",
            Category.QUOTA,
        ),
        (
            'pods "a" is forbidden: failed quota: tight: must specify limits.memory for: c',
            "quota-unspecified",
            Category.QUOTA,
        ),
        (
            'pods "a" is forbidden: violates PodSecurity "restricted:latest": '
            "allowPrivilegeEscalation != false",
            "pod-security",
            Category.ADMISSION,
        ),
        (
            'admission webhook "rules.policy.example" denied the request: exceeded quota: mine, '
            "requested: a=1, used: a=1, limited: a=1",
            "webhook-denies",
            Category.ADMISSION,
        ),
        (
            'Internal error occurred: failed calling webhook "inject.mesh.example": failed to call '
            'webhook: Post "https://mesh.svc:443/x": dial tcp: connect: connection refused',
            "webhook-fails",
            Category.ADMISSION,
        ),
        (
            "pods \"a\" is forbidden: ValidatingAdmissionPolicy 'no-latest' with binding 'all' "
            "denied request: tag latest",
            "policy-denies",
            Category.ADMISSION,
        ),
        (
            'pods "a" is forbidden: no PriorityClass with name critical was found',
            "priority-class",
            Category.ADMISSION,
        ),
        (
            'pods "a" is forbidden: pod rejected: RuntimeClass "gvisor" not found',
            "runtime-class",
            Category.ADMISSION,
        ),
        (
            'pods is forbidden: User "system:serviceaccount:x:y" cannot create resource "pods" in '
            'API group "" in the namespace "shop"',
            "not-permitted",
            Category.PERMISSION,
        ),
        (
            'create Pod db-0 in StatefulSet db failed error: Pod "db-0" is invalid: '
            "spec.containers[0].image: Required value",
            "invalid",
            Category.ADMISSION,
        ),
        ("etcdserver: request timed out", "api-server", Category.CONTROL_PLANE),
        ('pods "a" is forbidden: something new', "forbidden", Category.ADMISSION),
        ("a reason that nobody knows", "", Category.ROLLOUT),
    ],
)
def test_what_refuses_is_known_by_the_api_servers_words(
    message: str, shape: str, category: Category
) -> None:
    refusal = parse_refusal(message)
    assert (refusal.shape, refusal.category) == (shape, category)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (QUOTA, "Error creating: " + QUOTA.replace("p95nb", "zzzzz").replace("pods=1", "pods=9")),
        (ACCOUNT, f"Error creating: {ACCOUNT.replace('7cccfbbc4d', '5f5f5f5f5f')}"),
        (
            'pods "a-1" is forbidden: maximum cpu usage per Container is 450m, but limit is 600m',
            'pods "a-2" is forbidden: maximum cpu usage per Container is 1, but limit is 1500m',
        ),
        (
            'create Pod db-0 in StatefulSet db failed error: pods "db-0" is forbidden: no db-0',
            'create Pod db-1 in StatefulSet db failed error: pods "db-1" is forbidden: no db-1',
        ),
        (
            'pods "web-lark" is forbidden: web-lark is not welcome',
            'pods "web-wren" is forbidden: web-wren is not welcome',
        ),
        (
            "create Pod db-0 in StatefulSet db failed error: the disk is full",
            "create Pod db-1 in StatefulSet db failed error: the disk is full",
        ),
        (
            'failed calling webhook "a.example": dial tcp 10.0.0.1:443: connection refused',
            'failed calling webhook "a.example": context deadline exceeded',
        ),
    ],
)
def test_a_refusal_stays_the_same_while_names_and_numbers_change(one: str, other: str) -> None:
    assert parse_refusal(one).detail == parse_refusal(other).detail


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (QUOTA, QUOTA.replace("tight", "loose")),
        (ACCOUNT, ACCOUNT.replace("builder", "deployer")),
        (QUOTA, ACCOUNT),
        (
            'admission webhook "a.example" denied the request: no latest tag',
            'admission webhook "a.example" denied the request: no root',
        ),
    ],
)
def test_two_refusals_for_two_reasons_are_two(one: str, other: str) -> None:
    assert parse_refusal(one).detail != parse_refusal(other).detail


def test_an_exhausted_quota_is_named_as_the_cause() -> None:
    symptom = refused(QUOTA, namespace="shop", since=NOW, last_seen=NOW)
    assert symptom.caused_by is not None
    assert (symptom.caused_by.kind, symptom.caused_by.name) == ("ResourceQuota", "tight")
    assert symptom.caused_by.namespace == "shop"


def test_a_pod_that_names_no_limits_does_not_exhaust_a_quota() -> None:
    message = 'pods "a" is forbidden: failed quota: tight: must specify limits.cpu for: c'
    assert refused(message, namespace="shop", since=NOW, last_seen=NOW).caused_by is None


@pytest.mark.parametrize(
    "message",
    [
        'pods "a" is forbidden: unable to create new content in namespace shop because it is being '
        "terminated",
        'object is being deleted: pods "db-0" already exists',
        'Operation cannot be fulfilled on pods "a": the object has been modified',
    ],
)
def test_what_is_only_on_its_way_out_refuses_nobody(message: str) -> None:
    assert is_passing(message)
    assert creation_refused((note("FailedCreate", message),), namespace="shop", now=NOW) is HEALTHY


def test_a_webhook_may_say_anything() -> None:
    assert not is_passing('admission webhook "a.example" denied the request: app already exists')


def test_a_refusal_of_this_moment_may_pass() -> None:
    young = note("FailedCreate", QUOTA, first=timedelta(seconds=3), last=timedelta(seconds=1))
    verdict = creation_refused((young,), namespace="shop", now=NOW)
    assert verdict.symptoms == ()
    assert verdict.look_again_at == NOW + timedelta(seconds=7)


def test_an_event_that_is_not_repeated_any_more_is_history() -> None:
    old = note("FailedCreate", QUOTA, first=timedelta(hours=1), last=timedelta(minutes=21))
    assert creation_refused((old,), namespace="shop", now=NOW) is HEALTHY


def test_a_refusal_is_looked_at_again_when_its_event_grows_old() -> None:
    verdict = creation_refused((note("FailedCreate", QUOTA, count=4),), namespace="shop", now=NOW)
    (symptom,) = verdict.symptoms
    assert (symptom.reason, symptom.occurrences) == ("FailedCreate", 4)
    assert verdict.look_again_at == NOW + timedelta(minutes=19)


def test_a_message_of_any_length_is_read_in_no_time() -> None:
    long = "exceeded quota: a, requested: " + "x, used: " * 20_000
    assert parse_refusal(long).category is Category.ROLLOUT
