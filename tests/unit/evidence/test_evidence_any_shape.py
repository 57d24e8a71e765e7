"""Whatever shape manifests have, gathering brings something home and never falls over."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.inquiries import made
from support.scenes import SHOWN, failed, gathered, reader_of, scene

from kausa.resources.evidence import EvidenceKind
from kausa.resources.limits import EVIDENCE


@pytest.mark.parametrize("shown", SHOWN)
@pytest.mark.parametrize("pending", [False, True])
async def test_one_of_everything_is_told(shown: str, pending: bool) -> None:
    found = await gathered(reader_of(scene()), shown=shown, pending=pending)
    assert not failed(found)
    assert found.evidence[0].kind is EvidenceKind.QUESTION
    assert len(found.evidence) > 5


def paths(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a tree, the names of objects left alone: by them they are found."""
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for key, member in members:
        path = (*here, key)
        if path[-2:] != ("metadata", "name") and path[-1:] not in (("kind",), ("metadata",)):
            yield path
        if isinstance(member, (dict, list)):
            yield from paths(member, path)


def _fits(key: Any, inside: list[Any]) -> bool:
    """Whether another field that was changed has left this place in the list."""
    return isinstance(key, int) and key < len(inside)


SCENE = scene()
PLACES = [(number, path) for number, each in enumerate(SCENE) for path in paths(each)]
ODD = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.text(max_size=8), st.floats(allow_nan=True)
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@pytest.mark.slow
@pytest.mark.timeout(120)
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    places=st.lists(st.tuples(st.sampled_from(PLACES), ODD), min_size=1, max_size=6),
    shown=st.sampled_from(SHOWN),
    pending=st.booleans(),
)
async def test_any_field_of_any_shape_is_read_as_nothing(
    places: list[tuple[tuple[int, tuple[Any, ...]], Any]], shown: str, pending: bool
) -> None:
    objects = copy.deepcopy(SCENE)
    for (number, path), odd in places:
        inside: Any = objects[number]
        for key in path[:-1]:
            try:
                inside = inside[key]
            except (KeyError, IndexError, TypeError):
                break
        else:
            if isinstance(inside, dict) or (isinstance(inside, list) and _fits(path[-1], inside)):
                inside[path[-1]] = odd
    found = await gathered(reader_of(objects), shown=shown, pending=pending)
    assert not failed(found)
    assert len(found.evidence) <= EVIDENCE


async def test_huge_lists_are_read_in_bounds() -> None:
    objects = scene()
    objects += [
        made("Service", f"s{each}", spec={"selector": {"app": "checkout"}}) for each in range(400)
    ]
    objects += [
        made("ResourceQuota", f"q{each}", status={"hard": {"pods": "1"}}) for each in range(200)
    ]
    objects[0]["spec"]["containers"][0]["env"] = [
        {"name": f"V{each}", "valueFrom": {"configMapKeyRef": {"name": f"c{each}", "key": "k"}}}
        for each in range(1000)
    ]
    found = await gathered(reader_of(objects))
    assert not failed(found)
    assert len(found.evidence) == EVIDENCE
    assert len(found.manifests) <= 40
    assert len(found.references) <= 20
    assert len(found.gaps) <= 20
