"""What is read because of an Event may be older than what the streams tell meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs
from support.fake_store import overloaded
from support.objects import NOW, decoded, deployment, node, said
from support.pods import event
from support.recording import Working
from support.virtual_time import VirtualTimeLoop

from kausa.cluster.objects import Event, Marks

EVENT_LOOP = VirtualTimeLoop
PATH = "/apis/apps/v1/namespaces/shop/deployments/checkout-5d4f8-abcde"
UID = "uid-of-checkout"
REFUSED = said("ReplicaFailure", "True", "FailedCreate", "pods is forbidden: no")
WARNING = event("ReplicaSetCreateError", "refused", kind="Deployment", uid=UID)


def gone(work: Working) -> None:
    work.judge.gone(UID)


def gone_and_warned_of_again(work: Working) -> None:
    work.judge.gone(UID)
    work.client.objects.pop(PATH)
    work.judge.event(structs.replace(WARNING, count=2))


def well(work: Working) -> None:
    work.client.objects[PATH] = deployment(available=3)
    work.judge.workload(deployment(available=3))


def opted_out(work: Working) -> None:
    found = deployment(REFUSED)
    marked = structs.replace(found.metadata, labels=Marks(diagnose="disabled"))
    work.judge.workload(structs.replace(found, metadata=marked))


async def read_while(happens: Callable[[Working], None]) -> Working:
    """An Event has warned of a Deployment that fails; this happens while it is read."""
    work = Working(clock=lambda: NOW)
    work.client.objects[PATH] = deployment(REFUSED)
    work.judge.event(WARNING)
    real, happened = work.client.get, False

    async def slow(path: str, *, kind: type[Any]) -> Any:
        nonlocal happened
        found = await real(path, kind=kind)
        if not happened:
            happened = True
            happens(work)
        return found

    work.client.get = slow  # type: ignore[method-assign]
    await work.work()
    return work


@pytest.mark.parametrize("happens", [gone, gone_and_warned_of_again, well, opted_out])
async def test_what_went_or_changed_while_it_was_read_is_not_judged_as_it_was(
    happens: Callable[[Working], None],
) -> None:
    work = await read_while(happens)
    assert not work.sightings.failing
    assert len(work.judge.rechecks) == 0
    assert work.recorded() == []


async def test_what_was_left_alone_while_it_was_read_is_judged() -> None:
    work = await read_while(lambda _: None)
    assert list(work.sightings.failing) == [UID]


async def test_what_could_not_be_read_is_no_longer_being_read() -> None:
    work = Working(clock=lambda: NOW)
    work.client.objects[PATH] = overloaded()
    work.judge.event(WARNING)
    await work.work(seconds=0.01)
    assert not work.judge.has_read(UID)


async def test_what_a_kubelet_says_of_its_node_by_its_name_is_known_of_the_node() -> None:
    work = Working(clock=lambda: NOW)
    work.client.objects["/api/v1/nodes/node-1"] = node(said("Ready", "True", "KubeletReady"))
    work.judge.event(
        decoded(
            Event,
            {
                "metadata": {"name": "e", "namespace": "default", "uid": "event-uid"},
                # As a kubelet writes it: the uid is the name, and there is no apiVersion.
                "involvedObject": {"kind": "Node", "name": "node-1", "uid": "node-1"},
                "type": "Warning",
                "reason": "ImageGCFailed",
                "message": "failed to garbage collect required amount of images",
                "count": 5,
                "firstTimestamp": (NOW - timedelta(minutes=20)).isoformat(),
                "lastTimestamp": (NOW - timedelta(minutes=1)).isoformat(),
            },
        )
    )
    await work.work()
    (found,) = work.sightings.failing.values()
    assert [each.reason for each in found.symptoms] == ["ImageGCFailed"]
