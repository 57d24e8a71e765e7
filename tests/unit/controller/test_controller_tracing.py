"""One look at a failure is one trace with a span a step, and one id on all its log lines."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any, cast

import pytest
from support.cluster import REPOSITORY
from support.diagnosed import diagnosed
from support.dossiers import DEPLOYMENT, FakeReader
from support.fake_store import FakeStore, overloaded
from support.logs import captured_log
from support.pods import container, pod, terminated, waiting
from support.trace_collector import TraceCollector, attributes, trace_collector

from kausa.cluster.errors import OverloadedError
from kausa.cluster.objects import ObjectReference
from kausa.controller.looks import Looks
from kausa.controller.model_help import ModelHelp
from kausa.controller.reconcile import Reconciler, Telemetry
from kausa.controller.remembering import Remembering
from kausa.controller.sightings import Sightings
from kausa.controller.subjects import Subject
from kausa.detection.pods import detect_pod
from kausa.diagnosis.consultation import Consultant, Consultation
from kausa.diagnosis.consultation_queue import NotNow
from kausa.diagnosis.errors import ModelUnavailable
from kausa.diagnosis.recollection import Recollection
from kausa.evidence.gather import Gatherer
from kausa.evidence.redaction import Redactor
from kausa.resources.failure_diagnosis import FailureDiagnosis
from kausa.telemetry.clock import utc_now
from kausa.telemetry.logs import get_logger
from kausa.telemetry.metrics import Metrics
from kausa.telemetry.tracing import NO_TRACING, Tracer, tracing

PASSWORD = "hunter2-of-checkout"
CRASHES = pod(container(waiting("CrashLoopBackOff"), last=terminated(3), restarts=2), uid="a")
SHOWN_BY = ObjectReference(
    api_version="v1", kind="Pod", namespace="shop", name=CRASHES.metadata.name, uid="a"
)
(SYMPTOM, *_) = detect_pod(CRASHES, now=utc_now()).symptoms
STEPS = {"diagnosis", "gather", "redact", "rules", "recall", "publish"}
logger = get_logger("kausa.test")


class Subjects:
    """Finds the same Pod for every resource, and says so."""

    async def find(self, resource: FailureDiagnosis) -> Subject:
        await asyncio.sleep(0)
        logger.info("Looking", of=resource.metadata.name)
        return Subject(owner=DEPLOYMENT, shown_by=SHOWN_BY, pod=CRASHES, symptom=SYMPTOM)


class Remembrance:
    """A memory that is away, whose error quotes a text, and who says so from a task."""

    async def recall_and_remember(self, record: Any) -> Recollection:
        await asyncio.create_task(self.say(record.reference))
        return Recollection(record=record, unavailable=("StoreUnavailable", PASSWORD))

    def remember(self, record: Any) -> None:
        """Nothing is kept."""

    async def say(self, reference: str) -> None:
        await asyncio.sleep(0)
        logger.info("Recalling", of=reference.partition("/")[2])


class NobodyAnswers(Consultant):
    """A model that is to be asked, and is away."""

    def __init__(self) -> None:
        super().__init__(models=None, below_confidence=80)

    def spared(self, *_: Any, **__: Any) -> None:
        return None

    async def consult(self, *_: Any, **__: Any) -> Consultation:
        error = ModelUnavailable(f"nobody answers, said {PASSWORD}")
        return Consultation(not_consulted=(error.reason, str(error)), error=error)


class Queue:
    """The model's queue, in which one waits for ever."""

    def offer(self, *_: Any, **__: Any) -> tuple[str, str]:
        return "Queued", "the model is asked next"

    def is_asking(self, *_: Any) -> bool:
        return False

    def interrupt(self, *_: Any) -> None:
        """Nothing is asked."""


def reconciler(store: FakeStore, tracer: Tracer, *, log: str | Exception = "") -> Reconciler:
    sightings, redactor = Sightings(), Redactor(key=b"k" * 32)
    reader = FakeReader(previous=log, current=log)

    def redact(text: str) -> str:
        return redactor.text(text).value

    return Reconciler(
        store=cast(Any, store),
        subjects=cast(Any, Subjects()),
        gatherer=Gatherer(reader=reader, redactor=redactor, tracer=tracer),
        remembering=Remembering(
            remembrance=cast(Any, Remembrance()), sightings=sightings, cluster="test"
        ),
        model=ModelHelp(
            consultant=NobodyAnswers(),
            consulting=cast(Any, Queue()),
            sightings=sightings,
            redact=redact,
            tracer=tracer,
        ),
        looks=Looks(refresh_seconds=600),
        sightings=sightings,
        telemetry=Telemetry(metrics=Metrics(), tracer=tracer),
        concurrent=4,
    )


def resources(store: FakeStore, *names: str) -> list[FailureDiagnosis]:
    made = []
    for name in names:
        resource = diagnosed(diagnosis=None)
        metadata = resource.metadata.model_copy(update={"name": name})
        resource = resource.model_copy(update={"metadata": metadata, "status": None})
        store.resources[metadata.namespace or "", name] = resource
        made.append(resource)
    return made


async def traced(
    work: Callable[[Reconciler, FakeStore], Any], *, log: str | Exception = ""
) -> TraceCollector:
    store = FakeStore()
    async with trace_collector() as collector:
        async with tracing(collector.url) as tracer:
            await work(reconciler(store, tracer, log=log), store)
        return collector


async def test_a_look_is_a_trace_with_a_span_for_every_step() -> None:
    async def work(it: Reconciler, store: FakeStore) -> None:
        (resource,) = resources(store, "checkout")
        await it.reconcile(resource)

    collector = await traced(work, log="the disk is full")
    assert {each.name for each in collector.spans} == STEPS
    assert len({each.trace_id for each in collector.spans}) == 1
    (root,) = collector.named("diagnosis")
    (gather,) = collector.named("gather")
    (redact,) = collector.named("redact")
    assert root.parent_span_id == b""
    assert redact.parent_span_id == gather.span_id
    others = [each for each in collector.spans if each.name not in ("diagnosis", "redact")]
    assert {each.parent_span_id for each in others} == {root.span_id}
    assert len(collector.named("publish")) >= 2
    (recall,) = collector.named("recall")
    assert attributes(recall)["kausa.reason"] == "StoreUnavailable"
    assert attributes(gather)["kausa.evidence"] > 0


async def test_the_models_turn_is_a_look_of_its_own_with_the_model_in_it() -> None:
    async def work(it: Reconciler, store: FakeStore) -> None:
        (resource,) = resources(store, "checkout")
        await it.reconcile(resource)
        with pytest.raises(NotNow):
            await it.take_turn((resource.metadata.namespace or "", "checkout"))

    collector = await traced(work)
    (model,) = collector.named("model")
    assert attributes(model)["kausa.reason"] == "Unavailable"
    assert attributes(model)["kausa.asked"] is False
    first, turn = sorted(collector.named("diagnosis"), key=lambda each: each.start_time_unix_nano)
    assert (attributes(first)["kausa.turn"], attributes(turn)["kausa.turn"]) == (False, True)
    assert model.trace_id == turn.trace_id != first.trace_id


async def test_the_page_says_what_is_told_of_each_step() -> None:
    async def work(it: Reconciler, store: FakeStore) -> None:
        (resource,) = resources(store, "checkout")
        await it.reconcile(resource)
        with pytest.raises(NotNow):
            await it.take_turn((resource.metadata.namespace or "", "checkout"))

    collector = await traced(work)
    told: dict[str, set[str]] = {}
    for span in collector.spans:
        told.setdefault(span.name, set()).update(attributes(span))
    text = (REPOSITORY / "docs" / "metrics.md").read_text()
    table = text.partition("| span | values |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (\w+)[^|]*\| ([^|]*) \|$", table, re.MULTILINE)
    said = {name: set(re.findall(r"`(kausa\.\w+)`", values)) for name, values in rows}
    # Of all, and of those that fail.
    for name in told:
        told[name] -= {"kausa.diagnosis", "kausa.reason"}
    # Nothing is similar where the memory is away, which is told as none.
    assert told == said


async def test_no_text_of_the_cluster_is_in_a_trace_redacted_or_not() -> None:
    async def work(it: Reconciler, store: FakeStore) -> None:
        (resource,) = resources(store, "checkout")
        await it.reconcile(resource)

    collector = await traced(work, log=f"FATAL: password={PASSWORD} is wrong for user shopkeeper")
    (redact,) = collector.named("redact")
    assert attributes(redact)["kausa.hidden"] > 0
    sent = b"".join(collector.bodies)
    for text in (PASSWORD, "shopkeeper", "FATAL", "exit code"):
        assert text.encode() not in sent


async def test_a_step_that_fails_marks_the_look_and_the_next_look_is_another() -> None:
    async def work(it: Reconciler, store: FakeStore) -> None:
        (resource,) = resources(store, "checkout")
        store.fail_next = overloaded()
        with pytest.raises(OverloadedError):
            await it.reconcile(resource)
        await it.reconcile(resource)

    collector = await traced(work)
    reasons = [attributes(each).get("kausa.reason") for each in collector.named("diagnosis")]
    assert reasons == ["OverloadedError", None]
    assert len({attributes(each)["kausa.diagnosis"] for each in collector.named("diagnosis")}) == 2


async def test_looks_at_the_same_time_have_their_own_ids_on_lines_and_spans() -> None:
    names = [f"checkout-{number}" for number in range(6)]

    async def work(it: Reconciler, store: FakeStore) -> None:
        await asyncio.gather(*(it.reconcile(each) for each in resources(store, *names)))

    with captured_log() as log:
        collector = await traced(work)
    lines = [json.loads(each) for each in log.getvalue().splitlines()]
    for name in names:
        mine = [each for each in lines if (each.get("of") or each["name"]).endswith(name)]
        events = {each["event"] for each in mine}
        assert events >= {"Looking", "Recalling", "Diagnosed", "Diagnosed without all help"}
        ((look, trace),) = {(each["diagnosis"], each["trace"]) for each in mine}
        assert look.partition("#")[0].endswith(f"/{name}")
        spans = [each for each in collector.spans if each.trace_id.hex() == trace]
        assert {each.name for each in spans} == STEPS
        assert {attributes(each)["kausa.diagnosis"] for each in spans} == {look}


async def test_every_line_has_its_id_also_where_nothing_is_traced() -> None:
    store = FakeStore()
    it = reconciler(store, NO_TRACING)
    with captured_log() as log:
        await asyncio.gather(*(it.reconcile(each) for each in resources(store, "one", "two")))
    lines = [json.loads(each) for each in log.getvalue().splitlines()]
    assert len({each["diagnosis"] for each in lines}) == 2
    assert all("trace" not in each for each in lines)
