"""Objects that nobody watches: all their Events are judged, not the one that came last."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

from msgspec.structs import replace
from support.objects import NOW
from support.pods import event
from support.recording import Working

from kausa.cluster.objects import Event
from kausa.cluster.owners import Owner
from kausa.detection.surroundings import Note


def said(reason: str, *, count: int = 1, first: float, last: float | None = None) -> Event:
    """A warning about a Gadget, first and last so many minutes ago."""
    found = event(reason, "no", kind="Gadget", uid="g", count=count, field_path="")
    return replace(
        found,
        first_timestamp=NOW - timedelta(minutes=first),
        last_timestamp=NOW - timedelta(minutes=first if last is None else last),
        involved_object=replace(found.involved_object, api_version="x.dev/v1"),
    )


LASTS = said("SyncFailed", count=50, first=120, last=2)
ONCE = said("Degraded", first=1)
GADGET = Owner(api_version="x.dev/v1", kind="Gadget", name="web", uid="g", namespace="shop")


async def warned(*events: Event) -> Working:
    """What is known when these have come, and workers have read of whom they speak."""
    work = Working(clock=lambda: NOW)
    work.owners.owner = GADGET
    for each in events:
        work.judge.event(each)
        await work.work()
    return work


def shown(work: Working) -> list[tuple[str, int]]:
    found = work.sightings.failing.get("g")
    return [(each.reason, each.occurrences) for each in (found.now if found is not None else ())]


async def test_an_object_that_is_warned_of_in_two_ways_does_not_recover_from_one_by_the_other() -> (
    None
):
    for order in permutations((LASTS, ONCE)):
        work = await warned(*order)
        assert shown(work) == [("SyncFailed", 50)]
        work.judge.event(replace(ONCE, count=2, last_timestamp=NOW))
        assert shown(work) == [("SyncFailed", 50)]
        (sighting,) = work.sightings.by_resource.values()
        assert sighting.failing == {"g"}


async def test_a_warning_that_is_a_new_event_each_time_is_a_failure_when_it_goes_on() -> None:
    events = [said("SyncFailed", first=minutes) for minutes in range(55, -1, -5)]
    for order in (events, events[::-1]):
        work = await warned(*order)
        assert shown(work) == [("SyncFailed", 12)]
        assert len(work.store.applied) == 1


async def test_what_fails_is_judged_by_its_last_event_where_the_others_were_forgotten() -> None:
    work = await warned(LASTS)
    work.observed.forget_notes("g")
    (found,) = work.sightings.failing.values()
    assert isinstance(found.object, Note)
    work.judge.unwatched(found.object)
    assert shown(work) == [("SyncFailed", 50)]


async def test_a_kind_that_is_called_pod_elsewhere_is_judged_by_its_events() -> None:
    reference = replace(LASTS.involved_object, kind="Pod", api_version="metrics.example/v1")
    work = await warned(replace(LASTS, involved_object=reference))
    assert shown(work) == [("SyncFailed", 50)]
