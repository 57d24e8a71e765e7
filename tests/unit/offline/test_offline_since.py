"""Since when a container fails, by all that stands in the files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.snapshots import crashing_pod, loaded, warning

from kausa.cluster.objects import Pod
from kausa.cluster.owners import OwnerResolver
from kausa.detection.surroundings import Note
from kausa.detection.symptom import Symptom
from kausa.offline.owner_view import OwnerView
from kausa.offline.scene import set_the_scene
from kausa.offline.since import begun
from kausa.offline.subjects import Subject, Subjects
from kausa.resources.category import Category

Json = dict[str, Any]
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
RESTARTED = "Back-off restarting failed container api in pod api-1"


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def stamp(minutes: float) -> str:
    return at(minutes).strftime("%Y-%m-%dT%H:%M:%SZ")


def pod(*, unready: float = 9.5, started: float = 9.9, ended: float = 10.0) -> Json:
    """Made at noon; not ready since, its last run begun and over at these minutes past noon."""
    document = crashing_pod("api-1")
    document["status"]["conditions"][0]["lastTransitionTime"] = stamp(unready)
    document["status"]["containerStatuses"][0]["lastState"]["terminated"] |= {
        "startedAt": stamp(started),
        "finishedAt": stamp(ended),
    }
    return document


def back_off(first: float, message: str = RESTARTED) -> Json:
    return warning("BackOff", message, about=pod(), count=9, firstTimestamp=stamp(first))


async def subject(tmp_path: Path, *objects: Json) -> Subject:
    snapshot = loaded(tmp_path, *objects)
    owners = OwnerResolver(client=OwnerView(snapshot))
    (found,) = await Subjects(set_the_scene(snapshot), owners=owners, now=at(10.1)).all()
    return found


@pytest.mark.parametrize(
    ("objects", "since"),
    [
        ([pod()], 9.5),
        ([pod(unready=9.95)], 9.9),
        ([pod(), back_off(2)], 2),
        ([pod(unready=1), back_off(2)], 1),
        # Never ready from its making on: the first back-off tells more, else that has to do.
        ([pod(unready=0), back_off(2)], 2),
        ([pod(unready=0)], 0),
        # Of another time, or of a pull.
        ([pod(), back_off(-30)], 9.5),
        ([pod(), back_off(2, "Back-off pulling image x")], 9.5),
        # It ran well for a quarter of an hour: what was before is another failure.
        ([pod(unready=1, started=-5, ended=10), back_off(1)], -5),
    ],
)
async def test_the_earliest_sign_counts(tmp_path: Path, objects: list[Json], since: float) -> None:
    found = await subject(tmp_path, *objects)
    assert found.symptom is not None
    assert (found.symptom.since, found.since) == (at(since), at(since))


async def test_another_container_that_is_not_ready_tells_nothing_of_this_one(
    tmp_path: Path,
) -> None:
    document = pod(unready=1)
    document["status"]["containerStatuses"].append(
        {"name": "other", "ready": False, "restartCount": 0, "state": {"running": {}}}
    )
    found = await subject(tmp_path, document)
    assert found.since == at(9.9)


async def test_of_several_pods_the_first_that_failed_counts(tmp_path: Path) -> None:
    owner = {"apiVersion": "acme.io/v1", "kind": "Farm", "metadata": {"name": "f", "uid": "u"}}
    pods = [pod(unready=8), pod(unready=3)]
    for number, each in enumerate(pods):
        made = crashing_pod(f"api-{number}", owner=owner)
        each["metadata"] = made["metadata"]
    found = await subject(tmp_path, *pods)
    assert found.since == at(3)
    assert found.symptom is not None
    assert found.symptom.since == at(8)


@given(
    unready=st.floats(0, 20),
    started=st.floats(0, 20),
    lasted=st.floats(0, 9),
    first=st.floats(-20, 20),
)
def test_it_is_never_before_the_pod_nor_after_its_last_run(
    unready: float, started: float, lasted: float, first: float
) -> None:
    document = pod(unready=unready, started=started, ended=started + lasted)
    decoded = msgspec.convert(document, type=Pod, strict=False)
    symptom = Symptom(
        category=Category.CRASH_LOOP,
        reason="CrashLoopBackOff",
        reason_class="CrashLoop",
        detail="",
        message="",
        container="api",
        since=at(started).replace(microsecond=0),
    )
    note = Note(
        uid="u", api_version="v1", kind="Pod", namespace="shop", name="api-1", container="api",
        reason="BackOff", message=RESTARTED, count=3, first_seen=at(first), last_seen=at(20),
    )  # fmt: skip
    since = begun(symptom, decoded, [note])
    assert since is not None
    assert NOON <= since <= at(started)
