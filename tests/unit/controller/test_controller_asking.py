"""A value of the annotation asks once, a changed one asks again, a restart asks nothing."""

from __future__ import annotations

from typing import Any, cast

import pytest
from support.dossiers import DEPLOYMENT
from support.fake_store import FakeStore
from support.pods import container, pod

from kausa.controller.asking import Asking
from kausa.controller.sighting_documents import new_resource
from kausa.evidence.redaction import Redactor
from kausa.resources.spec import Trigger

HEALTHY = pod(container({"running": {}}, ready=True))


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


def asking(store: FakeStore) -> Asking:
    return Asking(store=cast(Any, store), redactor=Redactor(key=b"k" * 32), cluster="test")


async def test_the_same_value_asks_once_even_after_a_restart(store: FakeStore) -> None:
    await asking(store).about_healthy(HEALTHY.metadata.name, owner=DEPLOYMENT, question="true")
    await asking(store).about_healthy(HEALTHY.metadata.name, owner=DEPLOYMENT, question="true")
    (made,) = store.applied
    assert made.spec.trigger is Trigger.ANNOTATION
    assert made.spec.question is None
    assert made.spec.target.label == "Deployment/checkout"
    assert (made.metadata.annotations or {})["kausa.dev/pod"] == "checkout-5d4f8-abcde"


async def test_a_changed_value_asks_again_in_the_same_resource(store: FakeStore) -> None:
    for question in ("true", "is it slow?"):
        await asking(store).about_healthy(
            HEALTHY.metadata.name, owner=DEPLOYMENT, question=question
        )
    first, second = store.applied
    assert first.metadata.name == second.metadata.name
    assert second.spec.question == "is it slow?"


async def test_a_failure_that_has_a_resource_is_asked_there(store: FakeStore) -> None:
    made = new_resource(name="x", owner=DEPLOYMENT, container="api", trigger=Trigger.AUTOMATIC)
    await store.apply(made)
    await asking(store).about_failing("x", owner=DEPLOYMENT, container="api", question="why?")
    assert store.applied[-1].spec.trigger is Trigger.ANNOTATION
    assert store.applied[-1].spec.question == "why?"


async def test_a_secret_in_a_question_is_hidden(store: FakeStore) -> None:
    secret = "".join(("hun", "ter2", "-fake"))
    await asking(store).about_healthy(
        HEALTHY.metadata.name, owner=DEPLOYMENT, question=f"is password={secret} wrong?"
    )
    assert secret not in repr(store.applied)


async def test_an_annotated_template_of_many_pods_asks_once(store: FakeStore) -> None:
    for number in range(5):
        replica = pod(container({"running": {}}, ready=True), name=f"checkout-{number}")
        await asking(store).about_healthy(replica.metadata.name, owner=DEPLOYMENT, question="true")
    assert len(store.applied) == 1
