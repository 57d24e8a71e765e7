"""What fails behind a Service that a program cannot reach: told with it, where both are known."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click import unstyle
from support.snapshots import BEGAN, LATER, crashing_pod, deployment, folder_of, replica_set

from kausa.cluster.snapshot import load_snapshot
from kausa.evidence.redaction import Redactor
from kausa.offline.answers import Answer
from kausa.offline.dependencies import leads_to
from kausa.offline.diagnosing import OfflineDiagnosis, moment_of
from kausa.offline.documents import documents
from kausa.offline.order import in_order
from kausa.offline.targets import find_target, parse_target
from kausa.offline.text import as_text

Json = dict[str, Any]
REFUSED = "dial tcp: connect to db:5432: connection refused\n"
BROKEN = "FATAL: variable REGION is not set\n"
CASES = Path(__file__).parents[2] / "cases"


def workload(name: str, *, namespace: str = "shop", ready: bool = False) -> list[Json]:
    """A Deployment with one Pod, which crashes unless it is ready."""
    owner = deployment(name, namespace)
    owner["spec"]["template"] = {"metadata": {"labels": {"app": name}}}
    middle = replica_set(f"{name}-5d8f9c7b6d", of=owner)
    pod = crashing_pod(f"{name}-1", owner=middle, namespace=namespace)
    pod["metadata"]["labels"] = {"app": name}
    if ready:
        pod["status"]["conditions"][0]["status"] = "True"
        pod["status"]["containerStatuses"][0] |= {
            "ready": True,
            "restartCount": 0,
            "state": {"running": {"startedAt": BEGAN}},
            "lastState": {},
        }
    return [owner, middle, pod]


def service(name: str, *, namespace: str = "shop", selects: str = "") -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace, "creationTimestamp": BEGAN},
        "spec": {"selector": {"app": selects or name}, "ports": [{"port": 5432}]},
    }


async def answers(
    tmp_path: Path, *objects: Json, logs: dict[str, str], target: str = "", namespace: str = ""
) -> dict[str, Answer]:
    written = {f"{pod}/api.previous.log": text for pod, text in logs.items()}
    snapshot = load_snapshot(folder_of(tmp_path / "case", *objects, logs=written))
    pipeline = OfflineDiagnosis(snapshot, redactor=Redactor(key=bytes(32)), now=moment_of(snapshot))
    if target:
        found = await pipeline.of_target(find_target(snapshot, parse_target(target)))
    else:
        found = await pipeline.of_all(namespace=namespace)
    return {each.subject.label: each for each in found}


def above(answer: Answer) -> str:
    symptom = answer.subject.symptom
    assert symptom is not None
    assert symptom == answer.dossier.symptom
    cause = symptom.caused_by
    return f"{cause.kind}/{cause.namespace}/{cause.name}" if cause is not None else ""


async def test_a_program_that_cannot_reach_what_fails_follows_from_it(tmp_path: Path) -> None:
    objects = [*workload("web"), *workload("db"), service("db")]
    found = await answers(tmp_path, *objects, logs={"shop/web-1": REFUSED, "shop/db-1": BROKEN})
    web, db = found["Deployment shop/web"], found["Deployment shop/db"]
    assert above(web) == "Deployment/shop/db"
    assert above(db) == ""
    assert "REGION" in web.said_above
    # What is behind it was no reason for the rules: the diagnosis is the program's own.
    assert "db:5432" in web.diagnosis.summary
    told = in_order(tuple(found.values()))
    assert [each.answer.subject.owner.name for each in told][:2] == ["db", "web"]
    assert [each.depth for each in told][:2] == [0, 1]
    text = unstyle("\n".join(as_text(web, width=100)))
    assert "Follows  Deployment/db (CrashLoopBackOff): container api needs the environment" in text


async def test_it_is_published_with_the_name_of_the_other_diagnosis(tmp_path: Path) -> None:
    objects = [*workload("web"), *workload("db"), service("db")]
    found = await answers(tmp_path, *objects, logs={"shop/web-1": REFUSED, "shop/db-1": BROKEN})
    labels = {
        label.replace(" shop", ""): each
        for label, each in zip(found, documents(tuple(found.values())), strict=True)
    }
    caused_by = labels["Deployment/web"]["status"]["failure"]["causedBy"]
    assert caused_by["diagnosis"] == labels["Deployment/db"]["metadata"]["name"]
    assert "causedBy" not in labels["Deployment/db"]["status"]["failure"]


async def test_one_target_alone_is_told_what_it_follows_from(tmp_path: Path) -> None:
    objects = [*workload("web"), *workload("db"), service("db")]
    logs = {"shop/web-1": REFUSED, "shop/db-1": BROKEN}
    found = await answers(tmp_path, *objects, logs=logs, target="deploy/shop/web")
    assert list(found) == ["Deployment shop/web"]
    assert above(found["Deployment shop/web"]) == "Deployment/shop/db"
    assert "REGION" in found["Deployment shop/web"].said_above


async def test_who_does_well_behind_the_service_is_no_cause(tmp_path: Path) -> None:
    other = workload("db2")
    other[2]["metadata"]["labels"] = {"app": "db"}
    objects = [*workload("web"), *workload("db", ready=True), *other, service("db")]
    found = await answers(tmp_path, *objects, logs={"shop/web-1": REFUSED, "shop/db2-1": BROKEN})
    assert above(found["Deployment shop/web"]) == ""


async def test_what_fails_elsewhere_is_no_cause(tmp_path: Path) -> None:
    objects = [*workload("web"), *workload("db", ready=True), *workload("cache"), service("db")]
    found = await answers(
        tmp_path, *objects, service("cache"), logs={"shop/web-1": REFUSED, "shop/cache-1": BROKEN}
    )
    assert above(found["Deployment shop/web"]) == ""


async def test_a_program_that_fails_for_another_reason_follows_from_nothing(
    tmp_path: Path,
) -> None:
    objects = [*workload("web"), *workload("db"), service("db")]
    log = f"cannot reach db:5432 yet, going on without it\n{BROKEN}"
    found = await answers(tmp_path, *objects, logs={"shop/web-1": log, "shop/db-1": BROKEN})
    assert "REGION" in found["Deployment shop/web"].diagnosis.summary
    assert above(found["Deployment shop/web"]) == ""


async def test_two_that_wait_for_each_other_do_not_follow_in_a_circle(tmp_path: Path) -> None:
    objects = [*workload("web"), *workload("db"), service("db"), service("web")]
    logs = {"shop/web-1": REFUSED, "shop/db-1": REFUSED.replace("db:5432", "web:5432")}
    found = await answers(tmp_path, *objects, logs=logs)
    pointing = [above(found[f"Deployment shop/{name}"]) for name in ("web", "db")]
    assert sorted(map(bool, pointing)) == [False, True]


async def test_a_program_that_cannot_reach_its_own_service_follows_from_nothing(
    tmp_path: Path,
) -> None:
    found = await answers(tmp_path, *workload("db"), service("db"), logs={"shop/db-1": REFUSED})
    assert above(found["Deployment shop/db"]) == ""


async def test_who_gets_no_pods_at_all_is_found_by_their_labels(tmp_path: Path) -> None:
    owner = workload("db")[0]
    owner["status"] = {
        "conditions": [
            {
                "type": "ReplicaFailure",
                "status": "True",
                "reason": "FailedCreate",
                "message": 'pods "db-" is forbidden: exceeded quota: small',
                "lastTransitionTime": BEGAN,
                "lastUpdateTime": LATER,
            }
        ]
    }
    found = await answers(
        tmp_path, *workload("web"), owner, service("db"), logs={"shop/web-1": REFUSED}
    )
    assert "Deployment shop/db" in found
    assert above(found["Deployment shop/web"]) == "Deployment/shop/db"


async def test_a_cause_in_a_namespace_that_was_not_asked_about_is_only_named(
    tmp_path: Path,
) -> None:
    objects = [
        *workload("web"),
        *workload("db", namespace="data"),
        service("db", namespace="data"),
    ]
    logs = {
        "shop/web-1": REFUSED.replace("db:5432", "db.data.svc.cluster.local:5432"),
        "data/db-1": BROKEN,
    }
    found = await answers(tmp_path, *objects, logs=logs, namespace="shop")
    assert list(found) == ["Deployment shop/web"]
    web = found["Deployment shop/web"]
    assert above(web) == "Deployment/data/db"
    assert web.said_above == ""
    assert "Deployment/db of namespace data" in unstyle("\n".join(as_text(web, width=100)))
    everywhere = await answers(tmp_path, *objects, logs=logs)
    assert "REGION" in everywhere["Deployment shop/web"].said_above


async def test_the_recorded_case_of_two_that_crash_is_linked() -> None:
    snapshot = load_snapshot(CASES / "dependency-crashes-too")
    pipeline = OfflineDiagnosis(snapshot, redactor=Redactor(key=bytes(32)), now=moment_of(snapshot))
    found = {each.subject.owner.name: each for each in await pipeline.of_all()}
    assert above(found["orders"]) == "Deployment/dependency-crashes-too/orders-db"
    assert "/var/lib/db has wrong ownership" in found["orders"].said_above


@pytest.mark.parametrize(
    ("start", "end", "leads"),
    [("a", "c", True), ("c", "a", False), ("x", "a", False), ("a", "a", True), ("p", "a", False)],
)
def test_the_way_up_ends(start: str, end: str, leads: bool) -> None:
    assert leads_to({"a": "b", "b": "c", "p": "q", "q": "p"}, start, end) is leads


async def test_an_answer_about_what_does_not_fail_stays_as_it_is(tmp_path: Path) -> None:
    found = await answers(tmp_path, *workload("web", ready=True), logs={}, target="deploy/shop/web")
    answer = found["Deployment shop/web"]
    assert answer == replace(answer, said_above="")
    assert json.dumps(documents((answer,)))
