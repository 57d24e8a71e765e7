"""What changed is read from what the cluster still knows, and only what may matter is told."""

from __future__ import annotations

from typing import Any

import pytest
from support.changes import changed, dossier_of, of_revision, symptom
from support.dossiers import FakeReader, forbidden
from support.pods import at, event, stamp
from support.templates import config_map, deployment, replica_set, template, with_container

from kausa.cluster.objects import ObjectReference
from kausa.cluster.owners import Owner
from kausa.evidence.dossier import Change
from kausa.evidence.redaction import Redactor
from kausa.resources.category import Category
from kausa.resources.evidence import EvidenceKind

NEW = with_container(image="registry.example/shop/api:1.3")
IMAGE = "Deployment/checkout spec.template.spec.containers[api].image"
REVISION = "Deployment/checkout revision"


def rollout(
    new: dict[str, Any] = NEW, *, seconds: float = -180, ready: int = 2
) -> tuple[dict[str, Any], ...]:
    return (
        deployment(new),
        replica_set(2, template(), seconds=-86_400, ready=ready),
        replica_set(3, new, seconds=seconds),
    )


def paths(changes: tuple[Change, ...]) -> list[str]:
    return [each.path for each in changes]


async def test_a_rollout_is_told_with_the_field_its_values_and_how_long_before_it_was() -> None:
    found = await dossier_of(*rollout())
    image, revision = found.changes
    assert (image.path, image.before, image.after, image.at) == (
        IMAGE,
        "registry.example/shop/api:1.2",
        "registry.example/shop/api:1.3",
        at(-180),
    )
    assert (revision.path, revision.before, revision.after) == (REVISION, "2", "3")
    (cited,) = found.cite(EvidenceKind.CHANGE, containing=image.citation)
    (evidence,) = (each for each in found.evidence if each.id == cited)
    assert evidence.text == (
        "the image of container api was changed from registry.example/shop/api:1.2 to "
        f"registry.example/shop/api:1.3 at {stamp(-180)}, 3 minutes before it began to fail"
    )
    assert evidence.source.kind == "Deployment"


async def test_every_change_can_be_cited_and_no_two_are_taken_for_each_other() -> None:
    new = with_container(
        image="x:2",
        command=["/bin/other"],
        env=[{"name": f"VARIABLE_{number}", "value": "x"} for number in range(5)],
    )
    found = await dossier_of(*rollout(new))
    cited = [found.cite(EvidenceKind.CHANGE, containing=each.citation) for each in found.changes]
    assert len(cited) == 10
    assert all(len(each) == 1 for each in cited)
    assert len(set(cited)) == 10


async def test_the_last_revision_that_worked_is_the_newest_older_one_with_ready_pods() -> None:
    worst = with_container(image="x:4")
    (image, revision) = await changed(
        deployment(worst),
        replica_set(1, with_container(image="x:1"), seconds=-9_000),
        replica_set(2, with_container(image="x:2"), seconds=-8_000, ready=2),
        replica_set(3, with_container(image="x:3"), seconds=-7_000),
        replica_set(4, worst, seconds=-180),
        failing=of_revision(4),
    )
    assert (image.before, image.after) == ("x:2", "x:4")
    assert (revision.before, revision.after) == ("2", "4")


async def test_where_none_shows_that_it_worked_it_is_the_one_just_before() -> None:
    (image, *_) = await changed(
        deployment(NEW),
        replica_set(1, with_container(image="x:1"), seconds=-9_000),
        replica_set(2, with_container(image="x:2"), seconds=-8_000),
        replica_set(3, NEW, seconds=-180),
    )
    assert image.before == "x:2"


async def test_a_pod_of_an_old_revision_is_compared_with_what_was_before_its_own() -> None:
    (image, revision) = await changed(
        deployment(NEW),
        replica_set(1, with_container(image="x:1"), seconds=-9_000, ready=1),
        replica_set(2, with_container(image="x:2"), seconds=-8_000),
        replica_set(3, NEW, seconds=-180),
        failing=of_revision(2),
    )
    assert (image.before, image.after, revision.after) == ("x:1", "x:2", "2")


async def test_a_rollout_of_last_week_is_no_cause_for_a_failure_of_today() -> None:
    worked = replica_set(3, NEW, seconds=-86_400 * 7, ready=1)
    assert not await changed(
        deployment(NEW), replica_set(2, template(), seconds=-86_400 * 20), worked
    )


async def test_a_rollout_of_last_week_that_never_worked_is_told() -> None:
    assert paths(await changed(*rollout(seconds=-86_400 * 7)))[0] == IMAGE


async def test_a_rollout_after_the_failure_began_is_not_its_cause() -> None:
    events = (event("BackOff", "again"),)
    found = await changed(*rollout(seconds=3_000, ready=0), events=events)
    assert not found


async def test_a_restart_by_hand_is_told_as_one() -> None:
    restarted = template()
    restarted["metadata"]["annotations"] = {
        "kubectl.kubernetes.io/restartedAt": "2026-01-02T03:04:05Z"
    }
    found = await dossier_of(*rollout(restarted))
    assert found.evidence[0].text.startswith("it was restarted by hand (rollout restart)")


async def test_a_revision_that_came_back_is_dated_by_who_edited_the_deployment() -> None:
    back = replica_set(4, template(), seconds=-90_000, name="checkout-old")
    changes = await changed(
        deployment(template()), back, replica_set(3, NEW, seconds=-180), failing=of_revision(9)
    )
    assert {each.at for each in changes} == {at(-60)}


async def test_the_change_that_fits_the_failure_comes_first() -> None:
    new = with_container(
        image="x:2",
        resources={"limits": {"memory": "64Mi"}},
        readinessProbe={"httpGet": {"path": "/ready", "port": 1}},
    )
    for category, word in (
        (Category.OOM_KILLED, "limits"),
        (Category.IMAGE_PULL, "image"),
        (Category.PROBE, "readinessProbe"),
    ):
        changes = await changed(*rollout(new), seen=symptom(category))
        assert word in changes[0].path


async def test_at_most_twenty_changes_are_told_and_the_revision_is_among_them() -> None:
    many = with_container(env=[{"name": f"V{number}", "value": "1"} for number in range(60)])
    changes = await changed(*rollout(many))
    assert len(changes) == 20
    assert changes[-1].path == REVISION


async def test_a_stateful_set_is_compared_by_its_controller_revisions() -> None:
    owner = Owner(
        api_version="apps/v1", kind="StatefulSet", name="db", uid="set-uid", namespace="shop"
    )
    reference = {"kind": "StatefulSet", "name": "db", "uid": "set-uid", "controller": True}

    def kept(number: int, made: dict[str, Any], seconds: float) -> dict[str, Any]:
        return {
            "kind": "ControllerRevision",
            "metadata": {
                "name": f"db-{number}",
                "labels": {"app": "checkout"},
                "creationTimestamp": stamp(seconds),
                "ownerReferences": [reference],
            },
            "revision": number,
            "data": {"spec": {"template": {**made, "$patch": "replace"}}},
        }

    workload = {
        **deployment(NEW),
        "kind": "StatefulSet",
        "status": {"currentRevision": "db-1", "updateRevision": "db-3"},
    }
    workload["metadata"] = {**workload["metadata"], "name": "db", "uid": "set-uid"}
    failing = of_revision(3)
    found = await changed(
        workload,
        kept(1, template(), -9_000),
        kept(2, with_container(image="x:2"), -8_000),
        kept(3, NEW, -180),
        owner=owner,
        failing=failing,
        shown_by=ObjectReference(
            api_version="apps/v1", kind="StatefulSet", namespace="shop", name="db", uid="set-uid"
        ),
    )
    assert (found[0].before, found[0].after) == (
        "registry.example/shop/api:1.2",
        "registry.example/shop/api:1.3",
    )
    assert (found[-1].path, found[-1].before) == ("StatefulSet/db revision", "1")


async def test_a_run_of_a_cron_job_is_compared_with_the_last_that_succeeded() -> None:
    owner = Owner(
        api_version="batch/v1", kind="CronJob", name="report", uid="cron-uid", namespace="shop"
    )
    reference = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "name": "report",
        "uid": "cron-uid",
        "controller": True,
    }

    def job(number: int, made: dict[str, Any], *, succeeded: int) -> dict[str, Any]:
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {
                "name": f"report-{number}",
                "namespace": "shop",
                "uid": f"job-{number}",
                "creationTimestamp": stamp(-86_400 + number * 3_600),
                "ownerReferences": [reference],
            },
            "spec": {"template": made},
            "status": {"succeeded": succeeded},
        }

    cron = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "report", "namespace": "shop", "uid": "cron-uid"},
        "spec": {"jobTemplate": {"spec": {"template": NEW}}},
    }
    (image,) = await changed(
        cron,
        job(1, template(), succeeded=1),
        job(2, with_container(image="x:2"), succeeded=0),
        job(3, NEW, succeeded=0),
        owner=owner,
        shown_by=ObjectReference(
            api_version="batch/v1", kind="Job", namespace="shop", name="report-3", uid="job-3"
        ),
    )
    assert image.path == "CronJob/report spec.jobTemplate.spec.template.spec.containers[api].image"
    assert image.before == "registry.example/shop/api:1.2"


async def test_an_image_of_a_bare_pod_that_is_not_the_one_applied_is_a_hint() -> None:
    applied = '{"spec":{"containers":[{"name":"api","image":"x:1"}]}}'
    bare = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "checkout-5d4f8-abcde",
            "uid": "uid-1",
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": applied},
        },
        "spec": {"containers": [{"name": "api", "image": "x:2"}], "nodeName": "node-1"},
    }
    owner = Owner(
        api_version="v1", kind="Pod", name="checkout-5d4f8-abcde", uid="uid-1", namespace="shop"
    )
    (image,) = await changed(bare, owner=owner)
    assert (image.before, image.after, image.at) == ("x:1", "x:2", None)


async def test_what_may_not_be_read_hides_nothing_else() -> None:
    settings = config_map(
        ("helm", -86_400 * 30, ("a",)), ("me", -120, ("db",)), data={"db": "wrong"}
    )
    refused = {"ReplicaSet": forbidden("replicasets"), "Node": forbidden("nodes")}
    (edit,) = await changed(deployment(NEW), settings, errors=refused)
    assert edit.after == "wrong"


async def test_a_password_that_was_changed_is_hidden_before_and_after() -> None:
    old, new = ("".join(("hunter", number, "-Sup3r")) for number in ("2", "3"))

    def made(secret: str) -> dict[str, Any]:
        return with_container(
            env=[
                {"name": "DB_PASSWORD", "value": secret},
                {"name": "DATABASE_URL", "value": f"postgres://app:{secret}@db/orders"},
                {"name": "API_TOKEN", "value": f"a b {secret}"},
            ],
            args=["--password", secret, f"--api-key={secret}"],
        )

    settings = config_map(
        ("helm", -86_400 * 30, ("a",)), ("me", -120, ("db.password",)), data={"db.password": new}
    )
    found = await dossier_of(
        deployment(made(new)),
        replica_set(2, made(old), seconds=-9_000, ready=1),
        replica_set(3, made(new), seconds=-180),
        settings,
    )
    said = repr(found.changes) + repr(found.evidence)
    assert old not in said
    assert new not in said
    assert len(found.changes) == 6
    by_path = {each.path.rpartition(".")[2]: each for each in found.changes}
    password = by_path["env[DB_PASSWORD]"]
    assert password.before != password.after
    assert "redacted" in str(password.before)
    for each in found.changes:
        assert found.cite(EvidenceKind.CHANGE, containing=each.citation), each


@pytest.mark.parametrize("turned", [False, True])
async def test_where_one_side_is_hidden_the_other_is_not_shown(turned: bool) -> None:
    known, unknown = "Zx1f951bd71d288cQk", "Zx8214822332f34dQk"
    assert Redactor(key=b"k").text(f"SESSION_SALT={known}").counts
    assert not Redactor(key=b"k").text(f"SESSION_SALT={unknown}").counts
    old, new = (
        with_container(env=[{"name": "SESSION_SALT", "value": each}])
        for each in ((unknown, known) if turned else (known, unknown))
    )
    found = await dossier_of(
        deployment(new),
        replica_set(2, old, seconds=-86_400, ready=2),
        replica_set(3, new, seconds=-180),
    )
    shown = (*(each.text for each in found.evidence), *map(str, found.changes))
    assert not any(known in each or unknown in each for each in shown)
    (change,) = (each for each in found.changes if "SESSION_SALT" in each.path)
    assert found.cite(EvidenceKind.CHANGE, containing=change.citation)
    assert {(change.before or "")[:1], (change.after or "")[:1]} == {"[", "…"}


async def test_it_asks_for_few_lists() -> None:
    lists: list[str] = []
    original = FakeReader.manifests

    async def counted(self: Any, path: Any, **known: Any) -> Any:
        lists.append(path.kind)
        return await original(self, path, **known)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FakeReader, "manifests", counted)
        for category in Category:
            lists.clear()
            await changed(*rollout(), seen=symptom(category))
            assert len(lists) <= 4, (category, lists)
            assert "Secret" not in lists
