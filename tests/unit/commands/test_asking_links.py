"""Which failures are told with those that a question names, and in which order."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from kausa.commands.asking_links import causes_first, follows_among, placed, with_names_below
from kausa.detection.symptom import Upstream
from kausa.diagnosis.answering import Known
from kausa.diagnosis.matters import NOTHING_FAILS, Matter
from kausa.diagnosis.model.protocol import ModelRequest


def matter(name: str, *, kind: str = "Deployment", reason: str = "CrashLoopBackOff") -> Matter:
    request = ModelRequest(reason=reason, target=f"{kind}/{name}", namespace="shop", evidence=())
    return Matter(request=request, summary=f"{name} fails", names=frozenset({name}))


def upstream(name: str, *, kind: str = "Deployment", namespace: str | None = "shop") -> Upstream:
    return Upstream(api_version="apps/v1", kind=kind, name=name, namespace=namespace)


WEB, DB, DISK = matter("web"), matter("db"), matter("disk")
FOLLOWS = {WEB.label: DB.label, DB.label: DISK.label}


def test_what_a_failure_points_to_is_found_among_the_others() -> None:
    found = [
        (WEB, upstream("db")),
        (DB, upstream("disk")),
        (DISK, None),
        (matter("x"), upstream("db", namespace="other")),
        (matter("y"), upstream("nobody")),
        (matter("z", reason=NOTHING_FAILS), upstream("db")),
    ]
    assert follows_among(found) == FOLLOWS


def test_a_node_has_no_namespace_wherever_its_failure_is_kept() -> None:
    node = placed(matter("node-1", kind="Node"))
    assert node.label == "Node node-1"
    assert placed(WEB) is WEB
    assert follows_among(
        [(WEB, upstream("node-1", kind="Node", namespace=None)), (node, None)]
    ) == {WEB.label: node.label}


def test_who_asks_about_what_follows_means_the_causes_too() -> None:
    web, db, disk = with_names_below((WEB, DB, DISK), follows=FOLLOWS)
    assert web.names == {"web"}
    assert db.names == {"db", "web"}
    assert disk.names == {"disk", "db", "web"}


def test_causes_are_told_first_also_those_that_were_left_out() -> None:
    known = causes_first(Known(matters=(WEB, DB), others=(DISK, matter("x"))), follows=FOLLOWS)
    assert known.matters == (DISK, DB, WEB)
    assert known.others == (matter("x"),)


def test_without_links_everything_stays() -> None:
    known = Known(matters=(WEB,), others=(DB,), notes=("a",))
    assert causes_first(known, follows={}) == known


@given(
    links=st.dictionaries(st.integers(0, 11), st.integers(0, 11)),
    shown=st.integers(0, 12),
    order=st.permutations(range(12)),
)
def test_nothing_is_lost_or_told_twice(links: dict[int, int], shown: int, order: list[int]) -> None:
    every = [matter(f"m{number}") for number in order]
    follows = {matter(f"m{a}").label: matter(f"m{b}").label for a, b in links.items() if a != b}
    before = Known(matters=tuple(every[:shown]), others=tuple(every[shown:]))
    after = causes_first(before, follows=follows)
    labels = [each.label for each in (*after.matters, *after.others)]
    assert sorted(labels) == sorted(each.label for each in every)
    assert len(after.matters) >= min(shown, 1)
    circles = any(_in_a_circle(each, follows) for each in labels)
    if not circles:
        for place, each in enumerate(after.matters):
            told = [one.label for one in after.matters[place + 1 :]]
            assert follows.get(each.label) not in told
    assert causes_first(replace(before, matters=()), follows=follows).matters == ()


def _in_a_circle(label: str, follows: dict[str, str]) -> bool:
    for _ in range(13):
        label = follows.get(label, "")
    return bool(label)
