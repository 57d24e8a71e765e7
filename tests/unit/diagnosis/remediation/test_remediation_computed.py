"""A patch that is computed from facts, where nothing was changed that could be set back."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import msgspec
import pytest
from support.changes import FAILING, dossier_of, symptom
from support.pods import container, pod, terminated, waiting
from support.remedies import after, first_patch, of_api, said, still, with_event
from support.templates import deployment, template, with_container

from kausa.diagnosis.decide import completed
from kausa.diagnosis.finding import Fix
from kausa.diagnosis.remediation import with_remedies
from kausa.diagnosis.remediation.quotas import more_quota
from kausa.evidence.dossier import LogExcerpt, Reference, Source
from kausa.resources.category import Category
from kausa.resources.diagnosis import Risk

LIMITED = with_container(resources={"limits": {"memory": "24Mi"}, "requests": {"memory": "16Mi"}})
KILLED = pod(
    container(waiting("CrashLoopBackOff"), last=terminated(137, "OOMKilled"), restarts=1),
    limits={"memory": "24Mi"},
)


def test_a_memory_limit_that_nobody_changed_is_doubled_and_the_request_is_kept() -> None:
    dossier = still(LIMITED, Category.OOM_KILLED, failing=KILLED)
    fix, body = first_patch(dossier, said(Category.OOM_KILLED))
    assert of_api(body) == {"resources": {"limits": {"memory": "48Mi"}}}
    assert fix.title == "Raise the memory limit of container api from 24Mi to 48Mi"
    assert fix.risk is Risk.MEDIUM


def test_a_limit_without_a_request_does_not_raise_what_the_scheduler_reserves() -> None:
    made = with_container(resources={"limits": {"memory": "24Mi"}})
    dossier = still(made, Category.OOM_KILLED, failing=KILLED)
    _, body = first_patch(dossier, said(Category.OOM_KILLED))
    assert of_api(body)["resources"] == {
        "limits": {"memory": "48Mi"},
        "requests": {"memory": "24Mi"},
    }


@pytest.mark.parametrize(
    ("bound", "expected"),
    [
        (
            {
                "kind": "LimitRange",
                "spec": {"limits": [{"type": "Container", "max": {"memory": "30Mi"}}]},
            },
            "30Mi",
        ),
        (
            {
                "kind": "LimitRange",
                "spec": {"limits": [{"type": "Container", "max": {"memory": "24Mi"}}]},
            },
            None,
        ),
        ({"kind": "Node", "status": {"allocatable": {"memory": "40960Ki"}}}, "40Mi"),
    ],
)
def test_a_limit_is_raised_as_far_as_there_is_room(
    bound: dict[str, Any], expected: str | None
) -> None:
    dossier = still(LIMITED, Category.OOM_KILLED, failing=KILLED)
    named = {**bound, "metadata": {"name": "bound"}}
    dossier = dataclasses.replace(dossier, manifests=(*dossier.manifests, named))
    fixes = with_remedies(dossier, said(Category.OOM_KILLED)).fixes
    if expected is None:
        assert fixes == ()
    else:
        assert f'"memory":"{expected}"' in str(fixes[0].command)


def test_a_limit_that_was_raised_already_is_not_raised_again() -> None:
    already = with_container(resources={"limits": {"memory": "1Gi"}})
    dossier = still(already, Category.OOM_KILLED, failing=KILLED)
    assert with_remedies(dossier, said(Category.OOM_KILLED)).fixes == ()


def test_a_raised_limit_is_not_what_it_died_of() -> None:
    more = with_container(resources={"limits": {"memory": "512Mi"}})
    dossier = after(more, Category.OOM_KILLED, failing=FAILING)
    assert all(each.patch is None for each in completed(dossier, said(Category.OOM_KILLED)).fixes)


REFUSED = (
    "warning event Unhealthy, seen 3 times: Readiness probe failed: Get "
    '"http://10.0.0.7:9999/ready": dial tcp 10.0.0.7:9999: connect: connection refused'
)
ASKS_9999 = with_container(readinessProbe={"httpGet": {"path": "/ready", "port": 9999}})


def test_a_probe_of_a_port_where_nothing_listens_is_pointed_to_the_one_that_is_declared() -> None:
    dossier = with_event(still(ASKS_9999, Category.PROBE), REFUSED)
    fix, body = first_patch(dossier, said(Category.PROBE))
    assert of_api(body) == {"readinessProbe": {"httpGet": {"port": 8080}}}
    assert fix.risk is Risk.LOW
    assert "E40" in fix.citations


def test_what_the_program_says_of_its_port_goes_before_what_is_declared() -> None:
    dossier = with_event(still(ASKS_9999, Category.PROBE), REFUSED)
    log = LogExcerpt(container="api", previous=False, text="Listening on :8443", decisive="")
    dossier = dataclasses.replace(dossier, logs=(log,))
    fix, body = first_patch(dossier, said(Category.PROBE))
    assert of_api(body) == {"readinessProbe": {"httpGet": {"port": 8443}}}
    assert fix.risk is Risk.MEDIUM


@pytest.mark.parametrize(
    ("line", "port"),
    [
        ("worker started at 12:30:45", None),
        ("connected to postgres db:5432, running", None),
        ("Debugger listening on ws://127.0.0.1:9229/0f2c", None),
        ("metrics server listening on :9090", None),
        ("listening on 127.0.0.1:8081", None),
        ("listening on http://localhost:8081", None),
        ("listening on 10.0.0.7:8081", None),
        ("failed to listen on 0.0.0.0:8081", None),
        ("running since 8081", None),
        ("listening on :8081\nlistening on :8082", None),
        ("listening on :8081\nlistening on :9999", None),
        ("listening on 0.0.0.0:8081", 8081),
        ("Server listening at http://0.0.0.0:8081", 8081),
        ("Listening on port 8081", 8081),
        ("msg=listening on [::]:8081", 8081),
        ("listening on *:8081\nmetrics server listening on :9090", 8081),
    ],
)
def test_of_a_log_only_one_port_on_which_it_listens_for_everybody_is_believed(
    line: str, port: int | None
) -> None:
    # Two ports are declared, so that none of them is the only one that there is.
    made = with_container(
        readinessProbe={"httpGet": {"path": "/ready", "port": 9999}},
        ports=[{"containerPort": 8080}, {"containerPort": 8443}],
    )
    log = LogExcerpt(container="api", previous=False, text=line, decisive="")
    dossier = dataclasses.replace(with_event(still(made, Category.PROBE), REFUSED), logs=(log,))
    if port is None:
        assert with_remedies(dossier, said(Category.PROBE)).fixes == ()
        return
    fix, body = first_patch(dossier, said(Category.PROBE))
    assert of_api(body) == {"readinessProbe": {"httpGet": {"port": port}}}
    assert fix.risk is Risk.MEDIUM


def test_a_port_that_is_declared_and_refused_is_not_replaced_by_a_guess() -> None:
    dossier = with_event(still(template(), Category.PROBE), REFUSED.replace("9999", "8080"))
    assert with_remedies(dossier, said(Category.PROBE)).fixes == ()


def test_a_probe_that_is_answered_too_late_is_given_time() -> None:
    late = (
        'warning event Unhealthy, seen 3 times: Liveness probe failed: Get "http://10.0.0.7/": '
        "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
    )
    made = with_container(livenessProbe={"httpGet": {"path": "/", "port": 8080}})
    _, body = first_patch(with_event(still(made, Category.PROBE), late), said(Category.PROBE))
    assert of_api(body) == {"livenessProbe": {"timeoutSeconds": 5}}


def test_a_program_that_does_not_listen_yet_gets_longer_to_start() -> None:
    probe = {"tcpSocket": {"port": 8080}, "periodSeconds": 7, "failureThreshold": 2}
    dossier = with_event(
        still(with_container(startupProbe=probe), Category.PROBE),
        "warning event Unhealthy, seen 2 times: Startup probe failed: dial tcp 10.0.0.7:8080: "
        "connect: connection refused",
    )
    fix, body = first_patch(dossier, said(Category.PROBE))
    assert of_api(body) == {"startupProbe": {"failureThreshold": 9}}
    assert fix.title == "Give the startup probe of container api 63 s instead of 14"


def test_a_limit_below_a_heap_that_is_set_by_hand_is_not_raised_by_guess() -> None:
    dossier = still(LIMITED, Category.OOM_KILLED, failing=KILLED)
    summary = "its JVM heap (-Xmx2500M) is larger than its limit"
    assert with_remedies(dossier, said(Category.OOM_KILLED, summary)).fixes == ()


def test_a_policy_that_forbids_to_pull_is_lifted_where_the_image_is_not_there() -> None:
    dossier = still(with_container(imagePullPolicy="Never"), Category.IMAGE_PULL)
    assert dossier.symptom is not None
    seen = msgspec.structs.replace(dossier.symptom, reason="ErrImageNeverPull")
    _, body = first_patch(dataclasses.replace(dossier, symptom=seen), said(Category.IMAGE_PULL))
    assert of_api(body) == {"imagePullPolicy": "IfNotPresent"}


def test_a_label_that_no_node_has_is_asked_for_no_more_and_the_others_are_kept() -> None:
    wanted = template(nodeSelector={"disk": "ssd", "kubernetes.io/os": "linux"})
    node = {"kind": "Node", "metadata": {"name": "a", "labels": {"kubernetes.io/os": "linux"}}}
    dossier = asyncio.run(dossier_of(deployment(wanted), node, seen=symptom(Category.SCHEDULING)))
    unplaced = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."
    _, body = first_patch(with_event(dossier, unplaced), said(Category.SCHEDULING))
    assert body == {"nodeSelector": {"disk": None}}
    assert with_remedies(dossier, said(Category.SCHEDULING)).fixes == ()


def test_a_quota_is_raised_to_what_is_used_and_what_the_missing_pods_ask_for() -> None:
    owner = deployment(template())
    owner["spec"]["replicas"] = 4
    owner["status"] = {"replicas": 2}
    dossier = with_event(
        asyncio.run(dossier_of(owner, seen=symptom(Category.QUOTA, container=None))),
        'Error creating: pods "checkout-x" is forbidden: exceeded quota: team, requested: '
        "limits.memory=256Mi,pods=1, used: limits.memory=512Mi,pods=2, limited: "
        "limits.memory=600Mi,pods=10",
    )
    fix, body = first_patch(dossier, said(Category.QUOTA))
    assert body == {"hard": {"limits.memory": "1024Mi"}}
    assert fix.patch is not None
    assert (fix.patch.kind, fix.patch.name, fix.patch.namespace) == (
        "ResourceQuota",
        "team",
        "shop",
    )


def test_of_the_quota_itself_no_number_is_told_as_nobody_knows_how_many_pods_are_missing() -> None:
    words = (
        'pods "a" is forbidden: exceeded quota: team, requested: pods=1, used: pods=1, limited: '
        "pods=1"
    )
    workload = deployment(template())
    workload["spec"]["replicas"] = 3
    workload["status"] = {"replicas": 1}
    of_workload = with_event(
        asyncio.run(dossier_of(workload, seen=symptom(Category.QUOTA, container=None))), words
    )
    of_quota = dataclasses.replace(
        of_workload, owner=dataclasses.replace(of_workload.owner, kind="ResourceQuota")
    )
    _, body = first_patch(of_workload, said(Category.QUOTA))
    assert body == {"hard": {"pods": "3"}}
    assert list(more_quota(of_quota, said(Category.QUOTA))) == []


def test_a_service_is_sent_to_the_only_port_that_there_is() -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"selector": {"app": "a"}, "ports": [{"port": 80, "targetPort": "htp"}]},
    }
    behind = {
        "kind": "Pod",
        "metadata": {"name": "a", "labels": {"app": "a"}},
        "spec": {"containers": [{"name": "x", "ports": [{"containerPort": 8080}]}]},
    }
    reference = Reference(
        by=Source(kind="Service", name="web", field_path="spec.ports[80].targetPort"),
        kind="Service",
        name="web",
        key="htp",
        problem="names a port that no container has",
    )
    dossier = still(template(), Category.SERVICE)
    dossier = dataclasses.replace(dossier, manifests=(service, behind), references=(reference,))
    _, body = first_patch(dossier, said(Category.SERVICE))
    assert body == {"ports": [{"port": 80, "targetPort": 8080}]}


def test_who_writes_the_object_from_elsewhere_is_named() -> None:
    owner = deployment(LIMITED)
    owner["metadata"]["labels"] = {"app.kubernetes.io/managed-by": "Helm"}
    dossier = asyncio.run(dossier_of(owner, seen=symptom(Category.OOM_KILLED), failing=KILLED))
    fix, _ = first_patch(dossier, said(Category.OOM_KILLED))
    assert "Helm writes this object: change it there too" in fix.rationale


def test_a_command_with_a_blank_gives_way_to_the_patch_that_fills_it() -> None:
    blank = Fix(
        title="Raise it",
        rationale="",
        command="kubectl set resources deployment/checkout -c api --limits=memory=<NEW LIMIT>",
    )
    measure = Fix(title="Measure", rationale="", command="kubectl top pod x --containers")
    diagnosis = said(Category.OOM_KILLED, fixes=(blank, measure))
    dossier = still(LIMITED, Category.OOM_KILLED, failing=KILLED)
    assert [each.title for each in with_remedies(dossier, diagnosis).fixes] == [
        "Raise the memory limit of container api from 24Mi to 48Mi",
        "Measure",
    ]


def test_nothing_is_offered_for_an_owner_that_was_not_read_or_a_container_it_does_not_have() -> (
    None
):
    dossier = still(LIMITED, Category.OOM_KILLED, failing=KILLED)
    unread = dataclasses.replace(dossier, manifests=())
    assert with_remedies(unread, said(Category.OOM_KILLED)).fixes == ()
    other = still(
        template(containers=[{"name": "main", "image": "x"}]), Category.OOM_KILLED, failing=KILLED
    )
    assert with_remedies(other, said(Category.OOM_KILLED)).fixes == ()
