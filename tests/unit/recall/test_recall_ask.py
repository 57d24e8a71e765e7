"""Questions in words: what they narrow, what they never widen, and how answers are merged."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from support.recall_memory import FakeMemory, candidate
from support.records import NOON, RECORD

from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.records import FailureRecord, RunbookChunk
from kausa.memory.store import Candidate
from kausa.recall.ask import Asked
from kausa.recall.recall import Recall, RecallOptions
from kausa.recall.requests import RecallFilters

NOW = NOON + timedelta(hours=3)
ANYBODY = RecallFilters(cluster="test")


def failed(name: str, *, dense: float = 0.6, **more: Any) -> Candidate:
    record: FailureRecord = replace(
        RECORD, **{"owner_name": name, "fingerprint": name, "reference": f"shop/{name}", **more}
    )
    return candidate(record, dense=dense)


def runbook(name: str, *, dense: float = 0.5, **more: Any) -> Candidate:
    values: dict[str, Any] = {"cluster": "test", "name": name, "source": f"builtin:{name}"}
    values |= {"title": name, "text": "text", "position": 0, "count": 1, "last_seen": NOON}
    return candidate(RunbookChunk(**(values | more)), dense=dense)


async def ask(
    question: str, *known: Candidate, filters: RecallFilters = ANYBODY, limit: int = 5
) -> Asked:
    memory = FakeMemory().knows(*known)
    recall = Recall(memory=memory, options=RecallOptions(), now=lambda: NOW)
    return await recall.ask(question, filters=filters, limit=limit, rerank=False)


def sources(results: tuple[Any, ...]) -> list[str]:
    return [each.source for each in results]


async def test_failures_and_runbooks_are_answered_together() -> None:
    asked = await ask("why is it OOMKilled", failed("web"), runbook("oom"))
    assert sources(asked.failures) == ["shop/web"]
    assert sources(asked.runbooks) == ["builtin:oom"]


async def test_the_namespace_that_a_question_names_narrows_the_search() -> None:
    known = (failed("web"), failed("pay", namespace="pay", reference="pay/pay"))
    assert sources((await ask("what fails in namespace pay", *known)).failures) == ["pay/pay"]


async def test_a_question_never_widens_what_its_asker_may_see() -> None:
    known = (failed("web"), failed("pay", namespace="pay", reference="pay/pay", dense=0.9))
    mine = replace(ANYBODY, namespaces=("shop",))
    assert sources((await ask("why does it fail", *known, filters=mine)).failures) == ["shop/web"]
    refused = await ask("what fails in namespace pay", *known, runbook("oom"), filters=mine)
    assert refused.failures == ()
    assert "namespace pay is not to be seen from here" in refused.notes[0]
    assert sources(refused.runbooks) == ["builtin:oom"]


async def test_runbooks_of_a_namespace_that_may_not_be_seen_stay_hidden() -> None:
    mine = replace(ANYBODY, namespaces=("shop",))
    theirs = runbook("theirs", namespace="pay", source="pay/theirs")
    assert (await ask("what fails in namespace pay", theirs, filters=mine)).runbooks == ()


async def test_a_pods_name_leads_to_its_owner() -> None:
    known = (failed("web", dense=0.4), failed("api", dense=0.9))
    asked = await ask("why does pod web-7d4b9c6f5d-x2x4k restart", *known)
    assert sources(asked.failures) == ["shop/web"]
    assert "Nothing is known" not in " ".join(asked.notes)


async def test_a_guess_that_finds_nothing_is_dropped_and_told() -> None:
    asked = await ask("why does pod gone-7d4b9c6f5d-x2x4k restart", failed("web"))
    assert sources(asked.failures) == ["shop/web"]
    assert "Nothing is known of Deployment/gone: these failures are like it." in asked.notes


async def test_the_askers_own_filters_are_not_dropped() -> None:
    mine = replace(ANYBODY, owners=("Deployment/gone",))
    assert (await ask("why does pod web-0 restart", failed("web"), filters=mine)).failures == ()


async def test_a_time_that_is_named_is_kept() -> None:
    known = (failed("old", last_seen=NOW - timedelta(days=3)), failed("new", last_seen=NOON))
    assert sources((await ask("what failed today", *known)).failures) == ["shop/new"]


async def test_the_narrower_of_two_times_holds() -> None:
    known = (failed("old", last_seen=NOW - timedelta(days=3)), failed("new", last_seen=NOON))
    mine = replace(ANYBODY, after=NOW - timedelta(hours=24))
    asked = await ask("what failed in the last 7 days", *known, filters=mine)
    assert sources(asked.failures) == ["shop/new"]


async def test_each_part_of_a_question_has_its_best_before_anybodys_second() -> None:
    memory = FakeMemory()

    class Two(FakeMemory):
        async def candidates(self, *args: Any, text: str, **more: Any) -> list[Candidate]:
            if "registry" in text:
                return [runbook("registry", dense=0.6), runbook("both", dense=0.5)]
            return [runbook("crash", dense=0.9), runbook("both", dense=0.8), runbook("third")]

    memory = Two()
    recall = Recall(memory=memory, options=RecallOptions(), now=lambda: NOW)
    asked = await recall.ask(
        "Why is the pod crashing, and how do I fix the registry secret?",
        filters=ANYBODY,
        limit=3,
        rerank=False,
    )
    assert [part.question.text for part in asked.parts][1].startswith("how do I fix")
    assert sources(asked.runbooks) == ["builtin:crash", "builtin:registry", "builtin:both"]


async def test_a_memory_that_is_away_is_one_error_and_not_a_group_of_them() -> None:
    memory = FakeMemory()
    memory.error = MemoryUnavailableError("away", reason="StoreUnavailable")
    recall = Recall(memory=memory, now=lambda: NOW)
    with pytest.raises(MemoryUnavailableError, match="away"):
        await recall.ask("why, and how do I mend the registry secret", filters=ANYBODY)


async def test_what_hardly_fits_is_counted_and_not_answered() -> None:
    asked = await ask("how is bread baked", failed("web", dense=0.3), runbook("oom", dense=0.4))
    assert (asked.failures, asked.runbooks, asked.weak) == ((), (), 2)
    asked = await ask("how is bread baked", failed("web", dense=0.3), runbook("oom", dense=0.6))
    assert (sources(asked.runbooks), asked.weak) == (["builtin:oom"], 1)


@pytest.mark.parametrize(
    "question",
    ["what of pod web-7d4b9c6f5d-x2x4k", "what is there in namespace shop", "anything since today"],
)
async def test_failures_of_what_a_question_names_fit_by_that(question: str) -> None:
    asked = await ask(question, failed("web", dense=0.1, last_seen=NOON), runbook("oom", dense=0.1))
    assert sources(asked.failures) == ["shop/web"]
    assert asked.runbooks == ()


async def test_a_question_of_nothing_but_a_name_still_searches() -> None:
    asked = await ask("web-7d4b9c6f5d-x2x4k", failed("web"))
    assert sources(asked.failures) == ["shop/web"]
