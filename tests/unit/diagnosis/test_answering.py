"""A question gets facts first, then what a model makes of them, and an answer without one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace

import pytest
from support.diagnosed import diagnosed
from support.records import RECORD

from kausa.diagnosis.answering import (
    Answering,
    Concluded,
    Known,
    Matters,
    Remembered,
    Sentence,
    Step,
    chosen,
)
from kausa.diagnosis.errors import ModelInvalidAnswer
from kausa.diagnosis.matters import Matter, as_evidence, matter_of_resource, one_request
from kausa.diagnosis.model.answer.checking import line_alone
from kausa.diagnosis.model.asking import OnSentence
from kausa.diagnosis.model.protocol import ModelAnswer, ModelReply, ModelRequest
from kausa.memory.errors import MemoryUnavailableError
from kausa.recall.ask import Asked
from kausa.recall.query import QueryAnalysis, analyse
from kausa.recall.ranking import ScoreParts
from kausa.recall.results import Scored
from kausa.resources.category import Category
from kausa.telemetry.clock import utc_now

KEY_A, KEY_B = "Key A is absent.", "Key B is absent."
REPLY = ModelReply(
    answer=ModelAnswer(
        category=Category.OOM_KILLED,
        summary="s",
        root_cause="OutOfMemoryError: Java heap space.",
        explanation="It needs more memory.",
        confidence=70,
        citations=("E1",),
    ),
    model="tiny",
    prompt_tokens=1,
    output_tokens=1,
    milliseconds=1,
)


def matter(owner: str = "checkout", *, resolved: bool = False, **more: object) -> Matter:
    found = matter_of_resource(
        diagnosed(name=f"{owner}-x", owner=owner, resolved=resolved, **more)  # type: ignore[arg-type]
    )
    assert found is not None
    return found


def scored(score: float = 0.8) -> Scored:
    record = replace(RECORD, outcome="Resolved", resolution="raised the limit")
    parts = ScoreParts(
        dense=score,
        sparse=None,
        rerank=None,
        agreement=None,
        relevance=score,
        reward=0.5,
        age=1.0,
        rewarded=False,
        relevance_weight=1.0,
        reward_weight=0.0,
        total=score,
    )
    return Scored(
        record=record, record_id="1", passage=record.headline, score=parts, seen="yesterday"
    )


class Source:
    def __init__(self, *matters: Matter) -> None:
        self.matters = matters
        self.asked: list[tuple[str, ...]] = []

    async def find(self, analysis: QueryAnalysis, *, namespaces: tuple[str, ...]) -> Matters:
        self.asked.append(namespaces)
        return Matters(found=self.matters)


class Memory:
    def __init__(self, *found: Scored, error: MemoryUnavailableError | None = None) -> None:
        self.found = found
        self.error = error

    async def ask(self, question: str, *, namespaces: tuple[str, ...]) -> Asked:
        if self.error is not None:
            raise self.error
        analysis = analyse(question, now=utc_now())
        return Asked(analysis=analysis, parts=(), failures=self.found, runbooks=(), notes=())


class Model:
    def __init__(
        self,
        *sentences: str,
        error: ModelInvalidAnswer | None = None,
        reply: ModelReply = REPLY,
    ) -> None:
        self.sentences = sentences
        self.error = error
        self.reply = reply
        self.requests: list[ModelRequest] = []
        self.cancelled = False

    async def __call__(self, request: ModelRequest, *, on_sentence: OnSentence) -> ModelReply:
        self.requests.append(request)
        for each in self.sentences:
            on_sentence("cause", each)
            await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return self.reply


async def steps(
    *matters: Matter,
    question: str = "why does checkout crash?",
    model: Model | None = None,
    memory: Memory | None = None,
) -> Sequence[Step]:
    service = Answering(source=Source(*matters), memory=memory, model=model)
    async with aclosing(service.answer(question)) as answer:
        return [each async for each in answer]


async def test_what_is_known_comes_first_and_each_sentence_as_it_is_written() -> None:
    model = Model(KEY_A, KEY_B)
    known, remembered, first, second, end = await steps(
        matter(), model=model, memory=Memory(scored())
    )
    assert isinstance(known, Known)
    assert [each.label for each in known.matters] == ["Deployment shop/checkout"]
    assert isinstance(remembered, Remembered)
    assert (first, second) == (
        Sentence(part="cause", text=KEY_A),
        Sentence(part="cause", text=KEY_B),
    )
    assert isinstance(end, Concluded)
    assert end.reply is REPLY
    assert end.request is model.requests[0]


HEAP = "OutOfMemoryError: Java heap space."


async def concluded(*matters: Matter, model: Model) -> Concluded:
    end = (await steps(*(matters or (matter(),)), model=model))[-1]
    assert isinstance(end, Concluded)
    return end


async def test_each_sentence_comes_with_the_evidence_that_bears_it() -> None:
    told = await steps(matter(), model=Model(HEAP, "Nobody can say which tenant."))
    heard = [each for each in told if isinstance(each, Sentence)]
    assert [each.citations for each in heard] == [("E1",), ()]


async def test_what_was_told_and_the_answer_does_not_say_is_withdrawn() -> None:
    end = await concluded(model=Model(KEY_B, HEAP))
    assert end.withdrawn == (KEY_B,)
    assert [(each.part, each.text) for each in end.sentences] == [
        ("cause", HEAP),
        ("explanation", "It needs more memory."),
    ]
    assert end.citations == ("E1",)


async def test_what_began_anew_was_not_told() -> None:
    class Again(Model):
        async def __call__(self, request: ModelRequest, *, on_sentence: OnSentence) -> ModelReply:
            on_sentence("cause", KEY_B)
            on_sentence("again", "")
            on_sentence("cause", HEAP)
            return self.reply

    assert (await concluded(model=Again())).withdrawn == ()


async def test_of_an_answer_that_does_not_hold_all_that_was_told_is_withdrawn() -> None:
    end = await concluded(model=Model(KEY_A, KEY_B, error=ModelInvalidAnswer("no citation")))
    assert (end.withdrawn, end.sentences, end.citations) == (
        (KEY_A, KEY_B),
        (),
        (),
    )


async def test_a_line_of_a_log_is_one_sentence_and_is_not_quoted_twice() -> None:
    quotes = ('"it. Then it ended"', '"and more"')
    said = replace(REPLY.answer, root_cause=line_alone(quotes[0]), quotes=quotes)
    end = await concluded(model=Model(reply=replace(REPLY, answer=said)))
    assert end.sentences[0].text == 'The log says: "it. Then it ended".'
    assert end.quotes == ('"and more"',)


@pytest.mark.parametrize("owners", [("checkout",), ("checkout", "cart")])
async def test_an_answer_that_contradicts_sure_rules_says_so_and_is_hardly_sure(
    owners: tuple[str, ...],
) -> None:
    said = replace(
        REPLY.answer, category=Category.CONFIG, root_cause="A key is absent.", confidence=80
    )
    matters = [matter(each) for each in owners]
    model = Model(reply=replace(REPLY, answer=said))
    end = (await steps(*matters, question="what is broken?", model=model))[-1]
    assert isinstance(end, Concluded)
    assert {each.request.target for each in end.contradicts} == {f"Deployment/{o}" for o in owners}
    assert end.reply is not None
    assert end.reply.answer.confidence == 3
    agreed = await concluded(model=Model())
    assert (agreed.contradicts, agreed.reply) == ((), REPLY)


async def test_without_a_model_what_rules_say_is_the_answer() -> None:
    known, end = await steps(matter())
    assert isinstance(known, Known)
    assert known.matters[0].summary == "container api reached its memory limit of 256Mi"
    assert isinstance(end, Concluded)
    assert end.why_not is not None
    assert end.why_not[0] == "Disabled"


async def test_an_answer_that_does_not_hold_is_said_to() -> None:
    *_, end = await steps(matter(), model=Model(KEY_A, error=ModelInvalidAnswer("no citation")))
    assert isinstance(end, Concluded)
    assert end.why_not == ("InvalidAnswer", "no citation")


async def test_where_nothing_is_known_nobody_is_asked() -> None:
    model = Model(KEY_A)
    *_, end = await steps(model=model)
    assert isinstance(end, Concluded)
    assert end.why_not is not None
    assert end.why_not[0] == "NotNeeded"
    assert model.requests == []


async def test_a_memory_that_is_away_is_a_note() -> None:
    away = MemoryUnavailableError("the store does not answer", reason="StoreUnavailable")
    _, remembered, _ = await steps(matter(), memory=Memory(error=away))
    assert isinstance(remembered, Remembered)
    assert "the store does not answer" in remembered.notes[0]


async def test_leaving_ends_the_models_work() -> None:
    class Endless(Model):
        async def __call__(self, request: ModelRequest, *, on_sentence: OnSentence) -> ModelReply:
            on_sentence("cause", KEY_A)
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled = True
                raise
            raise AssertionError

    model = Endless()
    service = Answering(source=Source(matter()), memory=None, model=model)
    async with aclosing(service.answer("why does checkout crash?")) as answer:
        async for step in answer:
            if isinstance(step, Sentence):
                break
    assert model.cancelled


async def test_only_what_the_question_names_is_answered() -> None:
    known, *_ = await steps(matter("cart"), matter("checkout"), question="why does cart crash?")
    assert isinstance(known, Known)
    assert [each.request.target for each in known.matters] == ["Deployment/cart"]
    assert [each.request.target for each in known.others] == ["Deployment/checkout"]


async def test_a_question_that_names_nothing_is_about_all_that_fails() -> None:
    known, *_ = await steps(
        matter("cart"), matter("old", resolved=True), question="what is broken?"
    )
    assert isinstance(known, Known)
    assert [each.request.target for each in known.matters] == ["Deployment/cart"]


async def test_what_is_named_and_not_known_is_said() -> None:
    known, *_ = await steps(matter("cart"), question="why does deployment/payments crash?")
    assert isinstance(known, Known)
    assert known.notes[0] == "Nothing is known of Deployment payments."
    assert known.matters == ()


async def test_what_is_over_can_be_asked_about() -> None:
    known, *_ = await steps(matter(resolved=True))
    assert isinstance(known, Known)
    assert known.matters[0].resolved


def test_the_evidence_of_several_failures_and_of_memory_is_numbered_anew() -> None:
    request = one_request([matter("cart"), matter("checkout")], [scored()], question="why?")
    assert [each.id for each in request.evidence] == ["E1", "E2", "E3", "E4", "E5"]
    assert request.evidence[4].kind == "Memory"
    assert "raised the limit" in request.evidence[4].text
    assert request.question == "why?"
    assert request.target == "the question"
    assert "Deployment shop/cart: " in request.findings[0]
    assert {each.name for each in request.objects} == {"cart", "checkout"}


def test_a_finding_cites_the_evidence_by_its_new_number() -> None:
    found = matter()
    cited = replace(found, citations=("E1",))
    request = one_request([cited], [], question="why?")
    (event,) = [each for each in request.evidence if each.text == "Back-off restarting"]
    assert request.findings[0].endswith(f"[{event.id}]")


def test_only_so_much_evidence_is_told() -> None:
    found = matter()
    pieces = tuple(replace(found.request.evidence[0], id=f"E{n}") for n in range(1, 60))
    many = replace(found, request=replace(found.request, evidence=pieces))
    assert len(one_request([many], [], question="why?").evidence) == 16
    assert len(one_request([many] * 9, [], question="why?").evidence) == 16


def test_a_failure_without_a_diagnosis_is_not_known_yet() -> None:
    assert matter_of_resource(diagnosed(diagnosis=None)) is None


def test_what_memory_found_is_short_evidence() -> None:
    record = replace(RECORD, cause="x" * 900, outcome="Resolved", resolution="y" * 500)
    assert len(as_evidence(replace(scored(), record=record)).text) <= 600


async def test_of_what_nobody_knows_other_failures_are_no_memory_and_no_model_is_asked() -> None:
    model = Model(KEY_A)
    known, remembered, end = await steps(
        matter("cart"),
        question="why does nosuchthing crash?",
        model=model,
        memory=Memory(scored()),
    )
    assert isinstance(known, Known)
    assert (known.matters, known.missing) == ((), ("nosuchthing",))
    assert isinstance(remembered, Remembered)
    assert remembered.failures == ()
    assert isinstance(end, Concluded)
    assert end.why_not is not None
    assert end.why_not[0] == "NotNeeded"
    assert model.requests == []


async def test_what_a_cause_speaks_of_is_no_unknown_name() -> None:
    missing = replace(matter("cart"), summary="ConfigMap app-settings does not exist")
    for name in ("app-settings", "configmap app-settings", "configmap/app-settings"):
        known, *_ = await steps(missing, matter("pay"), question=f"why is {name} not found?")
        assert isinstance(known, Known)
        assert [each.request.target for each in known.matters] == ["Deployment/cart"]
        assert known.notes == ()


async def test_what_is_there_and_does_not_fail_gets_no_other_objects_patch() -> None:
    seen = Matters(found=(matter("cart"),), names=frozenset({"cart", "web"}))
    known = chosen(seen, analyse("why does web crash?", now=utc_now()))
    assert (known.matters, known.notes) == ((), ("No failure is known of web.",))


async def test_a_namespace_or_node_is_where_things_fail() -> None:
    seen = Matters(found=(matter("cart"),), names=frozenset({"n-1"}), places=frozenset({"n-1"}))
    for question in ("why do pods on node n-1 fail?", "what is broken on n-1?"):
        known = chosen(seen, analyse(question, now=utc_now()))
        assert len(known.matters) == 1, question
