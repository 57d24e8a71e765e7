"""What makes two failures the same one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kausa.detection.fingerprint import LONGEST_NORMALISED, fingerprint, normalise

PARTS = {
    "cluster": "c",
    "namespace": "shop",
    "owner_kind": "Deployment",
    "owner_name": "checkout",
    "container": "api",
    "reason_class": "CrashLoop",
    "detail": "exit 1",
}


def test_equal_parts_give_equal_fingerprints() -> None:
    assert fingerprint(**PARTS) == fingerprint(**PARTS)


@pytest.mark.parametrize("part", PARTS)
def test_every_part_counts(part: str) -> None:
    assert fingerprint(**PARTS) != fingerprint(**{**PARTS, part: "other"})


def test_a_boundary_between_two_parts_cannot_move() -> None:
    one = fingerprint(**{**PARTS, "owner_name": "a-b", "container": "c"})
    other = fingerprint(**{**PARTS, "owner_name": "a", "container": "b-c"})
    assert one != other


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0/1 nodes are available", "0/12 nodes are available"),
        ("pod aa953f70-42b5-4980-9281-f7d2201e34cd", "pod eab4d444-3197-4924-81f8-d6e37c4a75c0"),
        ("dial tcp 10.0.0.1:443: refused", "dial tcp 10.9.8.7:6443: refused"),
        ("back-off 2m40s restarting", "back-off 10s restarting"),
        ("at 2026-01-02T03:04:05Z failed", "at 2027-11-12T13:14:15.678Z failed"),
        ("sha256:" + "a1" * 32, "sha256:" + "b2" * 32),
    ],
)
def test_volatile_parts_do_not_count(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('configmap "settings" not found', 'configmap "settings-v2" not found'),
        ("http2 is required", "http3 is required"),
    ],
)
def test_names_count_even_with_digits_in_them(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


@given(st.text())
def test_normalising_never_raises_is_bounded_and_stays_the_same_when_repeated(text: str) -> None:
    once = normalise(text)
    assert len(once) <= LONGEST_NORMALISED
    assert "\n" not in once


@given(st.text(), st.text())
def test_any_text_can_be_part_of_an_identity(name: str, detail: str) -> None:
    assert len(fingerprint(**{**PARTS, "owner_name": name, "detail": detail})) == 16
