from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kausa.evidence.changes.difference import Difference
from kausa.evidence.changes.revisions import Revision
from kausa.learning.resolutions import failing_step, known_mending, mended_by
from kausa.resources.evidence import Change
from kausa.resources.recollection import Resolution

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def revision(name: str, number: int, minutes: int | None) -> Revision:
    created = NOON + timedelta(minutes=minutes) if minutes is not None else None
    return Revision(name=name, number=number, template={}, created=created, works=True)


def difference(
    path: str, before: str | None, after: str | None, kind: str = "Deployment"
) -> Difference:
    return Difference(
        kind=kind, name="checkout", path=path, before=before, after=after,
        told=f"{path} was changed", citation="x",
    )  # fmt: skip


def step(revisions: tuple[Revision, ...], **given: object) -> tuple[str, str] | None:
    arguments: dict[str, object] = {"began": NOON, "edited_at": None, **given}
    found = failing_step(revisions, **arguments)  # type: ignore[arg-type]
    return (found.before.name, found.running.name) if found is not None else None


def test_a_new_revision_mended_what_the_one_before_it_broke() -> None:
    good, bad, fixed = revision("a", 1, -90), revision("b", 2, -1), revision("c", 3, 20)
    assert step((good, bad, fixed)) == ("b", "c")


def test_several_attempts_are_one_step_from_the_failing_to_the_healthy() -> None:
    bad, tried, fixed = revision("b", 2, -1), revision("c", 3, 10), revision("d", 4, 20)
    assert step((bad, tried, fixed)) == ("b", "d")


def test_without_a_rollout_there_is_no_step() -> None:
    good, same = revision("a", 1, -90), revision("b", 2, -1)
    assert step((good, same)) is None
    assert step((same,)) is None
    assert step(()) is None


def test_an_old_revision_that_was_set_back_mended_it() -> None:
    # A rollback gives the old template the newest number, and leaves its age.
    good, bad = revision("a", 3, -90), revision("b", 2, -1)
    assert step((good, bad), edited_at=NOON + timedelta(minutes=5)) == ("b", "a")


def test_an_old_revision_that_was_set_back_long_before_mended_nothing() -> None:
    good, bad = revision("a", 3, -90), revision("b", 2, -60)
    assert step((good, bad), edited_at=NOON - timedelta(minutes=50)) is None
    assert step((good, bad)) is None


def test_the_healthy_revision_is_known_by_name() -> None:
    bad, fixed, other = revision("b", 2, -1), revision("c", 3, 20), revision("d", 4, 30)
    assert step((bad, fixed, other), healthy="c") == ("b", "c")
    assert step((bad, fixed), healthy="gone") is None


revisions = st.lists(
    st.builds(
        revision,
        st.sampled_from("abcdef"),
        st.integers(0, 9),
        st.none() | st.integers(-100, 100),
    ),
    max_size=5,
).map(tuple)


@given(revisions, st.none() | st.integers(-100, 100))
def test_a_step_never_leads_to_itself(found: tuple[Revision, ...], minutes: int | None) -> None:
    edited = NOON + timedelta(minutes=minutes) if minutes is not None else None
    result = step(found, edited_at=edited)
    assert result is None or result[0] != result[1]


@pytest.mark.parametrize(
    ("change", "counted"),
    [
        (
            difference("spec.containers[api].resources.limits.memory", "256Mi", "512Mi"),
            "containers[api].resources.limits.memory: 256Mi -> 512Mi",
        ),
        (
            difference(
                "spec.containers[api].image",
                "registry.example:5000/shop/api:1@sha256:" + "a" * 64,
                "registry.example:5000/shop/api:2",
            ),
            "containers[api].image: shop/api:1 -> shop/api:2",
        ),
        (difference("spec.containers[api].env[A]", None, "1"), "containers[api].env[A] added: 1"),
        (
            difference("spec.containers[api].env[A]", "1", None),
            "containers[api].env[A] removed: 1",
        ),
        (difference("data[url]", None, "http://b", kind="ConfigMap"),
         "ConfigMap data[url] set to http://b"),
        (difference("spec", None, None, kind="ResourceQuota"), "ResourceQuota spec changed"),
        (difference("", None, None, kind="ConfigMap"), "ConfigMap changed"),
    ],
)  # fmt: skip
def test_a_change_is_counted_without_what_differs_each_time(
    change: Difference, counted: str
) -> None:
    assert mended_by([change]).changed == (counted,)


def test_the_step_between_revisions_is_no_change_of_its_own() -> None:
    assert mended_by([difference("revision", "1", "2")]).changed == ()
    assert mended_by([]).resolution is None


def test_many_changes_are_bounded() -> None:
    many = [difference(f"spec.x{n}", "a" * 500, "b" * 500) for n in range(50)]
    mended = mended_by(many)
    assert len(mended.changed) == 10
    assert all(len(each) < 300 for each in mended.changed)
    assert len(mended.resolution or "") <= 1000


def test_the_resource_tells_the_same_as_the_recovery_did() -> None:
    change = difference("spec.containers[api].resources.limits.memory", "256Mi", "512Mi")
    how = Change(
        path="Deployment/checkout spec.template.spec.containers[api].resources.limits.memory",
        before="256Mi",
        after="512Mi",
    )
    known = known_mending(Resolution(time=NOON, how=(how,)))
    assert known.changed == mended_by([change]).changed
    assert known_mending(None).changed == known_mending(Resolution(time=NOON)).changed == ()
