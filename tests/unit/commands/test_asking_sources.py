"""What `kausa ask` reads of a cluster: every page, only where it may, and no broken resource."""

from __future__ import annotations

from typing import Any, cast

import msgspec
import pytest
from support.diagnosed import DIAGNOSIS, diagnosed
from support.fake_language_model import FakeLanguageModel, models_of

from kausa.cluster.client import KubernetesClient, Page
from kausa.cluster.objects import ListMeta
from kausa.commands.asking_cluster import ClusterSource
from kausa.commands.asking_model import AskedModel
from kausa.diagnosis.answering import Matters
from kausa.diagnosis.matters import matter_of_resource, one_request
from kausa.diagnosis.model.budget import ModelBudgetSpent
from kausa.diagnosis.model.protocol import ModelReply
from kausa.recall.query import analyse
from kausa.telemetry.clock import utc_now

UNSURE = DIAGNOSIS.model_copy(update={"confidence": 0})
ANSWER = {
    "category": "OOMKilled",
    "summary": "OutOfMemoryError: Java heap space",
    "rootCause": "The program raised OutOfMemoryError: Java heap space.",
    "explanation": "",
    "confidence": 70,
    "citations": ["E2"],
    "remediation": [],
}


class FakeClient:
    """Two resources a page."""

    def __init__(self, *documents: dict[str, Any]) -> None:
        self.documents = documents
        self.paths: list[str] = []

    async def list_page(self, path: str, *, parameters: dict[str, str]) -> Page:
        self.paths.append(path)
        start = int(parameters.get("continue", "0"))
        items = tuple(
            msgspec.Raw(msgspec.json.encode(each)) for each in self.documents[start : start + 2]
        )
        more = str(start + 2) if start + 2 < len(self.documents) else ""
        return Page(metadata=ListMeta(continue_=more), items=items)

    async def get(self, path: str, *, kind: object) -> msgspec.Raw:
        return msgspec.Raw(b"{}")


def item(owner: str) -> dict[str, Any]:
    """As a list has it: without its kind."""
    document = diagnosed(name=f"{owner}-x", owner=owner).to_dict()
    return {key: document[key] for key in ("metadata", "spec", "status")}


async def find(
    client: FakeClient, question: str = "what is broken?", *, namespaces: tuple[str, ...] = ()
) -> Matters:
    source = ClusterSource(cast(KubernetesClient, client))
    return await source.find(analyse(question, now=utc_now()), namespaces=namespaces)


async def test_every_page_is_read() -> None:
    client = FakeClient(*(item(f"app-{number}") for number in range(5)))
    found = await find(client)
    assert [each.request.target for each in found.found] == [
        f"Deployment/app-{number}" for number in range(5)
    ]
    assert len(client.paths) == 3


async def test_a_resource_that_cannot_be_read_is_left_out() -> None:
    broken = item("broken")
    broken["spec"] = {"target": 7}
    found = await find(FakeClient(broken, item("cart")))
    assert [each.request.target for each in found.found] == ["Deployment/cart"]


@pytest.mark.parametrize(
    ("question", "namespaces", "looked", "noted"),
    [
        ("what is broken?", (), ["failurediagnoses"], False),
        ("what is broken in namespace shop?", (), ["namespaces/shop"], False),
        ("what is broken?", ("shop", "pay"), ["namespaces/shop", "namespaces/pay"], False),
        ("what is broken in namespace pay?", ("shop", "pay"), ["namespaces/pay"], False),
        ("what is broken in namespace vault?", ("shop",), ["namespaces/shop"], True),
    ],
)
async def test_no_question_widens_where_it_may_look(
    question: str, namespaces: tuple[str, ...], looked: list[str], noted: bool
) -> None:
    client = FakeClient()
    found = await find(client, question, namespaces=namespaces)
    assert len(client.paths) == len(looked)
    assert all(part in path for part, path in zip(looked, client.paths, strict=True))
    assert bool(found.notes) == noted


async def asked(small: FakeLanguageModel, large: FakeLanguageModel, *, tokens: int) -> ModelReply:
    matter = matter_of_resource(diagnosed(diagnosis=UNSURE))
    assert matter is not None
    models = models_of(small, large, tokens_per_hour=tokens)
    request = one_request([matter], (), question="Why does it crash, and how is that related?")
    return await AskedModel(models, forced=None, timeout_seconds=5)(
        request, on_sentence=lambda part, text: None
    )


async def test_a_hard_question_goes_to_the_reasoning_model_within_the_budget() -> None:
    small, large = FakeLanguageModel("small"), FakeLanguageModel("large", answer=ANSWER)
    reply = await asked(small, large, tokens=1_000_000)
    assert reply.model == "large"
    assert "Take care, because:" in large.prompts[0]
    with pytest.raises(ModelBudgetSpent):
        await asked(small, large, tokens=10)
    assert (len(small.prompts), len(large.prompts)) == (0, 1)
