"""What Kubernetes says of a Pod that does not run well is said with its names and numbers."""

from __future__ import annotations

import pytest
from support.pods import condition, container, pod
from support.stated import decided, gathered, symptom

from kausa.detection.symptom import Upstream
from kausa.diagnosis.rules.stated import kubernetes_states_it
from kausa.resources.category import Category

RUNS = pod(container({"running": {}}, name="api"), phase="Running")
WAITS = pod(
    container({"waiting": {"reason": "ContainerCreating"}}, name="api"),
    phase="Pending",
    node="node-7",
)


@pytest.mark.parametrize(
    ("category", "reason", "message", "in_container", "words"),
    [
        (
            Category.PROBE,
            "Unhealthy",
            "Readiness probe failed: HTTP probe failed with statuscode: 404",
            "api",
            "the readiness probe of container api is answered with HTTP statuscode: 404",
        ),
        (
            Category.PROBE,
            "Unhealthy",
            "Liveness probe failed: cat: can't open '/run/ok': No such file or directory\n",
            "api",
            "the liveness probe of container api fails: cat: can't open '/run/ok'",
        ),
        (
            Category.PROBE,
            "Unhealthy",
            'Startup probe failed: Get "http://10.1.2.3:8080/healthz": dial tcp 10.1.2.3:8080: '
            "connect: connection refused",
            "api",
            "the startup probe of container api is refused at",
        ),
        (
            Category.EVICTION,
            "Evicted",
            'Usage of EmptyDir volume "scratch" exceeds the limit "1Mi". ',
            None,
            "emptyDir volume scratch of Pod checkout-5d4f8-abcde exceeds its size limit of 1Mi",
        ),
        (
            Category.EVICTION,
            "Evicted",
            "The node was low on resource: memory. Threshold quantity: 350Mi, available: 212Mi. "
            "Container api was using 500Mi, request is 0, has larger consumption of memory. ",
            None,
            "node node-7 was low on memory; container api used 500Mi with a request of 0",
        ),
        (
            Category.CONFIG,
            "FailedMount",
            'MountVolume.SetUp failed for volume "cfg" : secret "missing-secret" not found',
            None,
            "secret missing-secret does not exist",
        ),
        (
            Category.VOLUME,
            "FailedMount",
            'MountVolume.SetUp failed for volume "data" : hostPath type check failed: /srv/x is '
            "not a directory",
            None,
            "/srv/x is not a directory on node node-7",
        ),
        (
            Category.VOLUME,
            "FailedScheduling",
            '0/1 nodes are available: persistentvolumeclaim "no-such-claim" not found.',
            None,
            "PersistentVolumeClaim no-such-claim was not found",
        ),
        (
            Category.NETWORK,
            "FailedCreatePodSandBox",
            "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup "
            'network for sandbox "x": plugin type="bridge" failed (add): failed to allocate for '
            "range 0: no IP addresses available in range set: 10.1.0.1-10.1.0.254",
            None,
            "node node-7 has no IP address left",
        ),
        (
            Category.SANDBOX,
            "FailedCreatePodSandBox",
            'Failed to create pod sandbox: rpc error: no runtime for "gvisor" is configured',
            None,
            "node node-7 has no runtime gvisor",
        ),
        (
            Category.ADMISSION,
            "OutOfcpu",
            "Pod was rejected: Node didn't have enough resource: cpu, requested: 500, used: 1800, "
            "capacity: 2000",
            None,
            "requested 500, used 1800, capacity 2000",
        ),
    ],
)
def test_what_a_pods_message_says_is_in_the_answer(
    category: Category, reason: str, message: str, in_container: str | None, words: str
) -> None:
    shown = symptom(category, reason, message, in_container=in_container)
    diagnosis = decided(gathered(shown, kind="Pod", about=WAITS, events=((reason, message),)))
    assert diagnosis.category is category
    assert words in diagnosis.summary
    assert diagnosis.confidence >= 80


def test_a_scheduling_gate_is_named_and_not_taken_for_a_lack_of_nodes() -> None:
    gated = pod(
        phase="Pending",
        node="",
        conditions=(condition("PodScheduled", "False", "SchedulingGated", "gates are not empty"),),
        spec={"schedulingGates": [{"name": "queue.example/admit"}]},
    )
    shown = symptom(Category.SCHEDULING, "SchedulingGated", "gates are not empty")
    diagnosis = decided(gathered(shown, kind="Pod", about=gated))
    assert "queue.example/admit" in diagnosis.summary


def test_what_a_claims_event_says_is_preferred_to_a_pod_that_only_waits() -> None:
    waiting = pod(
        phase="Pending",
        node="",
        conditions=(
            condition(
                "PodScheduled",
                "False",
                "Unschedulable",
                "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
            ),
        ),
    )
    shown = symptom(
        Category.VOLUME,
        "FailedScheduling",
        "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
        caused_by=Upstream(
            api_version="v1",
            kind="PersistentVolumeClaim",
            name="data-db-0",
            uid="c-1",
            namespace="shop",
            reason="ProvisioningFailed",
        ),
    )
    told = ("ProvisioningFailed", 'storageclass.storage.k8s.io "missing-class" not found')
    found = gathered(shown, kind="Pod", about=waiting, events=(told,))
    diagnosis = decided(found)
    assert "storage class missing-class does not exist" in diagnosis.summary
    cited = {each.text for each in found.evidence if each.id in diagnosis.citations}
    assert any("missing-class" in text for text in cited)
    alone = decided(gathered(shown, kind="Pod", about=waiting))
    assert "PersistentVolumeClaim data-db-0 fails (ProvisioningFailed)" in alone.summary
    assert alone.confidence < 75


def test_a_container_that_cannot_be_configured_is_left_to_its_own_rule() -> None:
    shown = symptom(
        Category.CONFIG,
        "CreateContainerConfigError",
        'configmap "missing-cm" not found',
        in_container="api",
    )
    assert kubernetes_states_it(gathered(shown, kind="Pod", about=WAITS)) is None


@pytest.mark.parametrize(
    "category", [Category.CRASH_LOOP, Category.IMAGE_PULL, Category.OOM_KILLED]
)
def test_what_has_rules_of_its_own_is_left_to_them(category: Category) -> None:
    shown = symptom(category, "Any", "any", in_container="api")
    assert kubernetes_states_it(gathered(shown, kind="Pod", about=RUNS)) is None
