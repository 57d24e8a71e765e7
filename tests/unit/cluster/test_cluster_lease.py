"""Of several candidates one leads, never two, and another follows soon.

Time is the event loop's, which does not wait: seconds of a Lease pass in milliseconds.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from support.fake_leases import FakeLeases
from support.virtual_time import VirtualTimeLoop

from kausa.cluster import lease as module
from kausa.cluster.client import KubernetesClient
from kausa.cluster.errors import LeadershipLostError, LeaseForbiddenError
from kausa.cluster.lease import LeaseElection

EVENT_LOOP = VirtualTimeLoop


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.fixture
async def server() -> AsyncIterator[FakeLeases]:
    async with FakeLeases() as found:
        yield found


@pytest.fixture
async def client(server: FakeLeases) -> AsyncIterator[KubernetesClient]:
    async with KubernetesClient(server.credentials) as found:
        yield found


def candidate(client: KubernetesClient, identity: str, *, lease_seconds: int = 1) -> LeaseElection:
    return LeaseElection(
        client=client, namespace="ops", identity=identity, lease_seconds=lease_seconds, clock=now
    )


async def seconds_to_lead(election: LeaseElection, *, within: float = 8.0) -> float:
    began = now()
    async with asyncio.timeout(within):
        await election.acquire()
    assert election.is_leader
    return now() - began


async def test_the_first_makes_the_lease_and_leads(
    server: FakeLeases, client: KubernetesClient
) -> None:
    election = candidate(client, "a")
    assert not election.is_leader
    await seconds_to_lead(election)
    spec = server.leases["kausa"]["spec"]
    assert (spec["holderIdentity"], spec["leaseDurationSeconds"]) == ("a", 1)
    assert (election.leader, election.transitions) == ("a", 0)


async def test_a_holder_that_was_killed_is_followed_when_its_time_is_over(
    server: FakeLeases, client: KubernetesClient
) -> None:
    killed, second = candidate(client, "a"), candidate(client, "b")
    await seconds_to_lead(killed)
    assert 0.9 < await seconds_to_lead(second) < 2.0
    assert not killed.is_leader
    assert (server.holder, second.transitions) == ("b", 1)
    with pytest.raises(LeadershipLostError):
        await killed.keep()


async def test_a_lease_that_was_given_back_is_taken_at_once(
    server: FakeLeases, client: KubernetesClient
) -> None:
    first = candidate(client, "a", lease_seconds=10)
    await seconds_to_lead(first)
    await first.release()
    assert not first.is_leader
    assert server.holder == ""
    assert await seconds_to_lead(candidate(client, "b", lease_seconds=10)) < 1.0


async def test_a_restarted_container_of_the_same_pod_goes_on_when_nothing_is_renewed(
    client: KubernetesClient,
) -> None:
    await seconds_to_lead(candidate(client, "a", lease_seconds=4))
    again = candidate(client, "a", lease_seconds=4)
    assert 1.1 < await seconds_to_lead(again) < 2.0
    assert again.transitions == 0


async def test_a_living_process_of_the_same_name_keeps_the_lease(
    server: FakeLeases, client: KubernetesClient
) -> None:
    first, second = (candidate(client, "a", lease_seconds=3) for _ in range(2))
    await seconds_to_lead(first)
    keeping = asyncio.ensure_future(first.keep())
    with pytest.raises(TimeoutError):
        await seconds_to_lead(second, within=4.5)
    assert first.is_leader
    assert not second.is_leader
    assert not keeping.done()
    keeping.cancel()
    await second.release()
    assert server.holder == "a"


async def test_a_process_that_was_overtaken_by_another_of_its_name_has_lost(
    server: FakeLeases, client: KubernetesClient
) -> None:
    stopped, second = (candidate(client, "a", lease_seconds=3) for _ in range(2))
    await seconds_to_lead(stopped)
    await seconds_to_lead(second)
    assert stopped.is_leader  # It stood still and has not looked: its renewal is refused.
    writes = server.leases["kausa"]["metadata"]["resourceVersion"]
    with pytest.raises(LeadershipLostError, match="another process of the same name"):
        await stopped.keep()
    await stopped.release()
    assert server.leases["kausa"]["metadata"]["resourceVersion"] == writes
    assert server.holder == "a"


async def test_of_processes_of_one_name_there_are_never_two_leaders(
    client: KubernetesClient,
) -> None:
    elections = [candidate(client, "a", lease_seconds=3) for _ in range(3)]
    led: list[LeaseElection] = []

    async def live(election: LeaseElection) -> None:
        while True:
            await election.acquire()
            led.append(election)
            keeping = asyncio.ensure_future(election.keep())
            await asyncio.sleep(1.3)
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await election.release()

    lives = [asyncio.ensure_future(live(each)) for each in elections]
    most, until = 0, now() + 20
    while now() < until:
        most = max(most, sum(each.is_leader for each in elections))
        await asyncio.sleep(0.002)
    for life in lives:
        life.cancel()
    assert most == 1
    assert len(led) >= 2


async def test_a_lease_without_a_word_of_the_process_is_not_ours_by_its_name(
    server: FakeLeases, client: KubernetesClient
) -> None:
    """An older version wrote it, or a person."""
    await seconds_to_lead(candidate(client, "a"))
    del server.leases["kausa"]["metadata"]["annotations"]
    assert await seconds_to_lead(candidate(client, "a")) > 0.25


async def test_a_holder_that_renews_keeps_the_others_waiting(
    server: FakeLeases, client: KubernetesClient
) -> None:
    first, second = candidate(client, "a"), candidate(client, "b")
    await seconds_to_lead(first)
    keeping = asyncio.ensure_future(first.keep())
    with pytest.raises(TimeoutError):
        await seconds_to_lead(second, within=2.5)
    assert first.is_leader
    assert second.leader == "a"
    keeping.cancel()
    # Renewed without being read before.
    writes = [each for each in server.requests if each.method == "PUT"]
    assert len(writes) > 8


async def test_there_are_never_two_leaders(server: FakeLeases, client: KubernetesClient) -> None:
    """Leaders come and go in every way, and a third looks at who leads all the time."""
    elections = {name: candidate(client, name) for name in "abc"}
    changes: list[str] = []

    async def live(name: str) -> None:
        election = elections[name]
        while True:
            await election.acquire()
            changes.append(name)
            keeping = asyncio.ensure_future(election.keep())
            await asyncio.sleep(0.4)
            keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeping
            if len(changes) % 2:
                await election.release()
            else:
                await asyncio.sleep(1.5)  # as if it was killed

    lives = [asyncio.ensure_future(live(name)) for name in elections]
    most, until = 0, now() + 20
    while now() < until:
        most = max(most, sum(each.is_leader for each in elections.values()))
        await asyncio.sleep(0.002)
    for life in lives:
        life.cancel()
    assert most == 1
    assert len(changes) >= 3


async def test_leadership_ends_by_the_clock_alone(client: KubernetesClient) -> None:
    moment = 100.0
    election = LeaseElection(client=client, namespace="ops", identity="a", clock=lambda: moment)
    await seconds_to_lead(election)
    moment = 106.9
    assert election.is_leader
    moment = 107.0
    assert not election.is_leader


async def test_a_clock_that_is_wrong_does_not_make_a_lease_expire(
    server: FakeLeases, client: KubernetesClient
) -> None:
    await seconds_to_lead(candidate(client, "a"))
    server.leases["kausa"]["spec"]["renewTime"] = "1999-01-01T00:00:00.000000Z"
    assert await seconds_to_lead(candidate(client, "b")) > 0.9


async def test_a_holder_that_cannot_renew_stops_before_another_may_follow(
    server: FakeLeases, client: KubernetesClient
) -> None:
    election = candidate(client, "a")
    await seconds_to_lead(election)
    began = now()
    server.refuses["PUT"] = server.refuses["GET"] = 503
    with pytest.raises(LeadershipLostError, match="leases is refused"):
        await election.keep()
    assert 0.5 < now() - began < 0.95
    assert not election.is_leader


async def test_why_it_was_lost_is_what_failed_and_not_that_our_time_was_over(
    server: FakeLeases, client: KubernetesClient
) -> None:
    election = candidate(client, "a")
    await seconds_to_lead(election)
    server.refuses["PUT"] = server.refuses["GET"] = 503
    keeping = asyncio.ensure_future(election.keep())
    while not any(each.method == "PUT" for each in server.requests):
        await asyncio.sleep(0.01)
    server.refuses.clear()
    server.hangs.add("a")
    with pytest.raises(LeadershipLostError, match="leases is refused"):
        await keeping


async def test_an_answer_that_does_not_come_is_not_waited_for_too_long(
    server: FakeLeases, client: KubernetesClient
) -> None:
    election = candidate(client, "a")
    await seconds_to_lead(election)
    server.hangs.add("a")
    began = now()
    with pytest.raises(LeadershipLostError, match="did not answer"):
        await election.keep()
    assert now() - began < 0.95


async def test_a_renewal_whose_answer_was_lost_is_made_again(
    server: FakeLeases, client: KubernetesClient
) -> None:
    election = candidate(client, "a", lease_seconds=4)
    await seconds_to_lead(election)
    server.hangs.add("a")
    keeping = asyncio.ensure_future(election.keep())
    await asyncio.sleep(1.2)
    server.hangs.clear()
    await asyncio.sleep(2.0)
    assert election.is_leader
    assert not keeping.done()
    keeping.cancel()


async def test_a_lease_that_somebody_else_took_is_lost_at_once(
    server: FakeLeases, client: KubernetesClient
) -> None:
    election = candidate(client, "a")
    await seconds_to_lead(election)
    lease = server.leases["kausa"]
    lease["metadata"]["resourceVersion"] = "77"
    lease["spec"]["holderIdentity"] = "thief"
    with pytest.raises(LeadershipLostError, match="thief holds it now"):
        await election.keep()
    await election.release()
    assert server.holder == "thief"


async def test_a_lease_that_was_deleted_is_made_again(
    server: FakeLeases, client: KubernetesClient
) -> None:
    election = candidate(client, "a")
    await seconds_to_lead(election)
    keeping = asyncio.ensure_future(election.keep())
    server.leases.clear()
    await asyncio.sleep(1.0)
    assert election.is_leader
    assert server.holder == "a"
    keeping.cancel()


async def test_labels_and_fields_that_are_not_ours_stay(
    server: FakeLeases, client: KubernetesClient
) -> None:
    server.leases["kausa"] = {
        "metadata": {
            "name": "kausa",
            "resourceVersion": "1",
            "labels": {"team": "ops"},
            "annotations": {"note": "theirs"},
        },
        "spec": {"strategy": "OldestEmulationVersion"},
    }
    await seconds_to_lead(candidate(client, "a"))
    lease = server.leases["kausa"]
    assert lease["metadata"]["labels"] == {"team": "ops"}
    assert lease["metadata"]["annotations"]["note"] == "theirs"
    assert lease["spec"]["strategy"] == "OldestEmulationVersion"


async def test_a_missing_permission_is_named_after_a_while(
    server: FakeLeases, client: KubernetesClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FORBIDDEN_PATIENCE_SECONDS", 0.3)
    server.refuses["POST"] = 403
    with pytest.raises(
        LeaseForbiddenError, match=r"get, create and update leases .* namespace ops"
    ):
        await seconds_to_lead(candidate(client, "a"))


async def test_an_api_server_that_is_not_there_yet_is_waited_for(
    server: FakeLeases, client: KubernetesClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FORBIDDEN_PATIENCE_SECONDS", 60.0)
    server.refuses["GET"] = 403
    leading = asyncio.ensure_future(seconds_to_lead(candidate(client, "a")))
    await asyncio.sleep(0.2)
    server.refuses["GET"] = 503
    await asyncio.sleep(0.2)
    server.refuses.clear()
    assert await leading > 0.4


async def test_a_lease_cannot_be_given_back_and_that_takes_no_time_and_raises_nothing(
    server: FakeLeases, client: KubernetesClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RELEASE_SECONDS", 0.2)
    election = candidate(client, "a")
    await seconds_to_lead(election)
    server.hangs.add("")
    began = now()
    await election.release()
    assert now() - began < 1.0
    server.refuses["PUT"] = 500
    await election.release()


async def test_what_was_taken_while_nobody_waited_for_the_answer_is_given_back(
    server: FakeLeases, client: KubernetesClient
) -> None:
    await seconds_to_lead(candidate(client, "a", lease_seconds=10))
    election = candidate(client, "b", lease_seconds=10)
    server.leases["kausa"]["spec"]["holderIdentity"] = ""
    server.hangs.add("b")
    taking = asyncio.ensure_future(election.acquire())
    while server.holder != "b":
        await asyncio.sleep(0.01)
    taking.cancel()
    await asyncio.gather(taking, return_exceptions=True)
    await election.release()
    assert server.holder == ""
