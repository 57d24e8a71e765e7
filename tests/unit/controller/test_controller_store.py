"""Which resources are taken up after a restart: unresolved ones that the streams recorded."""

from __future__ import annotations

from typing import Any, cast

import pytest
from support.dossiers import DEPLOYMENT
from support.fake_store import FakeClient, FakeOwners, FakeStore
from support.pods import container, pod, terminated, waiting
from support.recording import Recording

from kausa.controller.store import FAILURE_DIAGNOSES, RESOURCES_A_PAGE, FailureDiagnosisStore

COLLECTION = FAILURE_DIAGNOSES.collection()
Document = dict[str, Any]


@pytest.fixture
async def recorded() -> Document:
    """A failure as it is found in a list."""
    record = Recording(FakeStore(), FakeOwners(DEPLOYMENT))
    await record.see(pod(container(waiting("CrashLoopBackOff"), last=terminated(3), restarts=2)))
    (resource,) = record.store.resources.values()
    document = resource.to_dict()
    assert document["status"]["conditions"][0]["status"] == "False"
    return {name: document[name] for name in ("metadata", "spec", "status")}


def named(document: Document, name: str, **changes: Any) -> Document:
    return {**document, "metadata": {**document["metadata"], "name": name}, **changes}


async def names(client: FakeClient, *, namespace: str | None = None) -> list[str]:
    store = FailureDiagnosisStore(client=cast(Any, client))
    return [each.metadata.name async for each in store.unresolved(namespace=namespace)]


async def test_what_was_asked_for_what_is_over_and_what_has_no_failure_is_left_out(
    recorded: Document,
) -> None:
    client = FakeClient()
    status = recorded["status"]
    over = [{**status["conditions"][0], "status": "True"}]
    client.lists[COLLECTION] = (
        named(recorded, "manual", spec={**recorded["spec"], "trigger": "Manual"}),
        named(recorded, "over", status={**status, "conditions": over}),
        named(recorded, "without-a-failure", status={"conditions": status["conditions"]}),
        named(recorded, "without-a-status", status=None),
        named(recorded, "fails"),
        named(recorded, "fails-without-conditions", status={"failure": status["failure"]}),
    )
    assert await names(client) == ["fails", "fails-without-conditions"]


async def test_all_pages_are_read(recorded: Document) -> None:
    client = FakeClient()
    wanted = [f"f-{number}" for number in range(2 * RESOURCES_A_PAGE + 1)]
    client.lists[COLLECTION] = tuple(named(recorded, each) for each in wanted)
    assert await names(client) == wanted
    assert client.requests == [COLLECTION] * 3


async def test_one_that_cannot_be_read_keeps_no_other_from_being_taken_up(
    recorded: Document,
) -> None:
    client = FakeClient()
    client.lists[COLLECTION] = (named(recorded, "broken", spec={}), named(recorded, "fails"))
    assert await names(client) == ["fails"]


async def test_no_more_is_kept_of_a_status_than_the_streams_own(recorded: Document) -> None:
    client = FakeClient()
    status = {**recorded["status"], "diagnosis": {"a shape": "of another version"}}
    client.lists[COLLECTION] = (named(recorded, "fails", status=status),)
    assert await names(client) == ["fails"]


async def test_one_namespace_is_listed_alone(recorded: Document) -> None:
    client = FakeClient()
    client.lists[FAILURE_DIAGNOSES.collection(namespace="shop")] = (named(recorded, "fails"),)
    assert await names(client, namespace="shop") == ["fails"]
