from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from support.dossiers import DEPLOYMENT, FakeReader, forbidden
from support.pods import at, stamp
from support.templates import config_map, deployment, replica_set, with_container

from kausa.cluster.owners import Owner
from kausa.controller.mending import Mender
from kausa.evidence.redaction import Redactor
from kausa.learning.resolutions import Mended, known_mending
from kausa.resources.recollection import Resolution

BEGAN, WORKS = at(0), at(3600)
REDACTOR = Redactor(key=b"k" * 32)
MORE = {"limits": {"memory": "512Mi", "cpu": "1"}, "requests": {"memory": "64Mi"}}


async def mended(*manifests: Any, owner: Owner = DEPLOYMENT, **given: Any) -> Mended:
    reader = FakeReader(manifests=manifests, **given)
    mender = Mender(reader=reader, redactor=REDACTOR)
    return await mender.mended(owner, began=BEGAN, works_since=WORKS)


def revisions(current: int) -> dict[str, Any]:
    workload = deployment(with_container(resources=MORE))
    workload["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": str(current)}
    workload["metadata"]["managedFields"][0]["time"] = stamp(1800)
    return workload


async def test_the_rollout_after_it_began_is_what_mended_it() -> None:
    found = await mended(
        revisions(2),
        replica_set(1, with_container(), seconds=-60),
        replica_set(2, with_container(resources=MORE), seconds=1800, ready=2),
    )
    assert found.changed == ("containers[api].resources.limits.memory: 256Mi -> 512Mi",)
    assert found.resolution is not None
    assert "256Mi" in found.resolution
    (how,) = found.how
    assert how.path == (
        "Deployment/checkout spec.template.spec.containers[api].resources.limits.memory"
    )
    assert known_mending(Resolution(time=WORKS, how=found.how)).changed == found.changed


async def test_a_revision_that_was_set_back_is_what_mended_it() -> None:
    workload = revisions(3)
    found = await mended(
        workload,
        replica_set(3, with_container(), seconds=-7200, ready=2),
        replica_set(2, with_container(image="shop/api:broken"), seconds=-60),
    )
    assert found.changed == (
        "containers[api].image: shop/api:broken -> shop/api:1.2",
    )  # fmt: skip


async def test_without_a_rollout_an_edited_config_map_is() -> None:
    workload = deployment(with_container())
    settings = config_map(("kubectl-edit", 1800, ("db",)), data={"db": "orders-db", "log": "info"})
    found = await mended(workload, replica_set(1, with_container(), seconds=-7200), settings)
    assert found.changed == ("ConfigMap data[db] set to orders-db",)


async def test_what_was_edited_before_it_began_mended_nothing() -> None:
    workload = deployment(with_container())
    settings = config_map(("kubectl-edit", -600, ("db",)), data={"db": "orders-db", "log": "info"})
    found = await mended(workload, replica_set(1, with_container(), seconds=-7200), settings)
    assert found == Mended()


async def test_secrets_in_a_change_are_hidden() -> None:
    secret = "ghp_" + "a1B2c3D4e5" * 4
    env = [{"name": "GITHUB_TOKEN", "value": secret}]
    found = await mended(
        revisions(2),
        replica_set(1, with_container(env=[]), seconds=-60),
        replica_set(2, with_container(env=env), seconds=1800),
    )
    assert found.changed
    assert secret not in f"{found}"
    assert found.how


async def test_where_nothing_may_be_read_nothing_is_known() -> None:
    assert await mended(errors={"*": forbidden("everything")}) == Mended()


async def test_what_is_gone_was_mended_by_nothing_that_is_known() -> None:
    assert await mended() == Mended()


def test_the_moments_of_these_tests_are_an_hour_apart() -> None:
    assert timedelta(hours=1) == WORKS - BEGAN
    assert datetime.now(UTC) > BEGAN
