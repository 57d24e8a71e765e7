"""Where rules are sure, an answer that says something else loses; one of their mind does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from support.diagnosed import DIAGNOSIS, diagnosed
from support.dossiers import dossier
from support.pods import container, pod, terminated, waiting

from kausa.diagnosis.contradicting import contradicted, with_room_for
from kausa.diagnosis.decide import decide
from kausa.diagnosis.matters import Matter, matter_of_dossier, matter_of_resource, one_request
from kausa.diagnosis.model.protocol import ModelAnswer
from kausa.resources.category import Category
from kausa.resources.diagnosis import DecidedBy
from kausa.settings.model import SURE_RULES

OTHERWISE = "The variable PAYMENTS_DB_DSN of container api is not set."


def of_resource(owner: str = "checkout", **changes: Any) -> Matter:
    said = DIAGNOSIS.model_copy(update=changes)
    found = matter_of_resource(diagnosed(owner=owner, diagnosis=said))
    assert found is not None
    return found


def of_files() -> Matter:
    ended = terminated(137, "OOMKilled")
    status = container(waiting("CrashLoopBackOff"), last=ended, restarts=2)
    found = dossier(pod(status, limits={"memory": "64Mi"}), log="")
    return matter_of_dossier(found, decide(found))


def answer(
    cause: str, category: Category | None = Category.CONFIG, *, citations: tuple[str, ...] = ("E1",)
) -> ModelAnswer:
    return ModelAnswer(
        category=category,
        summary=cause,
        root_cause=cause,
        explanation="",
        confidence=80,
        citations=citations,
    )


def loses(said: ModelAnswer, *matters: Matter) -> bool:
    request = one_request(matters, (), question="why?")
    return bool(contradicted(matters, request, said))


@pytest.mark.parametrize("matter", [of_resource(), of_files()], ids=["resource", "files"])
def test_what_sure_rules_do_not_say_loses(matter: Matter) -> None:
    assert matter.sure
    assert loses(answer(OTHERWISE), matter)
    assert loses(answer("Which program reads it is not known.", None), matter)


@pytest.mark.parametrize("matter", [of_resource(), of_files()], ids=["resource", "files"])
@pytest.mark.parametrize(
    ("cause", "category"),
    [
        ("The program raised OutOfMemoryError: Java heap space.", Category.OOM_KILLED),
        ("Container api needs more memory than its limit.", Category.OTHER),
        ("Raise the memory limit.", None),
    ],
)
def test_what_is_of_their_mind_does_not(matter: Matter, cause: str, category: Any) -> None:
    assert not loses(answer(cause, category), matter)


def test_the_name_of_what_fails_is_no_agreement() -> None:
    assert loses(answer("Deployment/checkout runs container api.", Category.ROLLOUT), of_resource())


def test_of_several_failures_it_has_to_agree_with_one() -> None:
    pull = of_resource("cart", summary="image r.example/cart:9 is not in its registry")
    told = (of_resource(), pull)
    assert loses(answer(OTHERWISE), *told)
    assert not loses(answer("The image r.example/cart:9 does not exist."), *told)


@pytest.mark.parametrize(
    "unsure",
    [
        of_resource(confidence=59),
        of_resource(decided_by=DecidedBy.MODEL),
        replace(of_resource(), resolved=True),
    ],
    ids=["unsure", "by a model", "over"],
)
def test_where_rules_are_not_sure_of_it_nothing_is_contradicted(unsure: Matter) -> None:
    assert not loses(answer(OTHERWISE), unsure)
    assert not loses(answer(OTHERWISE), of_resource(), unsure)
    assert not loses(answer(OTHERWISE))


def test_rules_that_only_repeat_what_a_program_said_are_no_rivals() -> None:
    log = "Seat server answers: 25 of 25 handed out\nstanding down\nbye then\n"
    ended = container(waiting("CrashLoopBackOff"), last=terminated(1), restarts=2)
    found = dossier(pod(ended), log=log)
    by_rules = decide(found)
    assert by_rules.confidence >= SURE_RULES
    assert not matter_of_dossier(found, by_rules).sure


def test_what_rests_on_earlier_failures_is_about_those() -> None:
    matter = of_resource()
    request = one_request((matter,), (), question="how was it mended?")
    remembered = replace(request.evidence[0], id="E9", kind="Memory")
    request = replace(request, evidence=(*request.evidence, remembered))
    said = answer(OTHERWISE, citations=("E9",))
    assert contradicted((matter,), request, said) == ()
    assert contradicted((matter,), request, answer(OTHERWISE)) == (matter,)


def test_a_loser_is_only_as_sure_as_rules_are_unsure() -> None:
    assert with_room_for((of_resource(),), answer(OTHERWISE)).confidence == 3
    assert with_room_for((), answer(OTHERWISE)).confidence == 80
