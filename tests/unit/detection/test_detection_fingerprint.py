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
        ("pod checkout-7c9d8f6b5c-x2x4k failed", "pod checkout-5d8b7c9f64-pqrst failed"),
        ("dial tcp [fe80::1]:80: refused", "dial tcp [2001:db8::8a2e:370:7334]:443: refused"),
        ("host 2001:db8:1:2:3:4:5:6 down", "host ::1 down"),
        ("using 88Mi, limit 100Mi.", "using 1536Ki, limit 2Gi."),
        ("requested 500m of 1.5 cores", "requested 250m of 8 cores"),
        ("exit status 1.", "exit status 32."),
        (
            "name api_x_aa953f70-42b5-4980-9281-f7d2201e34cd_0 is held",
            "name api_x_eab4d444-3197-4924-81f8-d6e37c4a75c0_12 is held",
        ),
        ("k8s_" + "a1" * 16 + "_3 for id", "k8s_" + "b2" * 16 + "_4 for id"),
        ("k8s_api_checkout-7c9d8f6b5c-x2x4k_shop", "k8s_api_checkout-5d8b7c9f64-pqrst_shop"),
    ],
)
def test_volatile_parts_do_not_count(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('configmap "settings" not found', 'configmap "settings-v2" not found'),
        ("http2 is required", "http3 is required"),
        ("app v1.2 failed", "app v1.3 failed"),
        ("service shop-https missing", "service shop-grpcs missing"),
        ("std::bad_alloc", "std::bad_cast"),
        ("job_1 failed", "job_2 failed"),
        ("table users_2024 is missing", "table users_2025 is missing"),
        ("x" + "a1" * 16, "x" + "b2" * 16),
        ('couldn\'t parse image name "Bad:::name"', 'couldn\'t parse image name "Bad:::nome"'),
    ],
)
def test_names_count_even_with_digits_in_them(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


_PIECES = st.sampled_from(
    [
        *" :-./,<_xT",
        "1",
        "12",
        "0x1f",
        "5s",
        "2m",
        "1h",
        "128Mi",
        "ab12" * 9,
        "10.0.0.1",
        "::1",
        "fe80::",
        "-7c9d8f6b5c-x2x4k",
        "sha256:",
        "2026-01-02T03:04:05Z",
        "+01:00",
        "aa953f70-42b5-4980-9281-f7d2201e34cd",
        "_",
        "_0",
        "<uuid>",
    ]
)
_TEXTS = st.one_of(
    st.text(max_size=900),
    st.lists(_PIECES, max_size=20).map("".join),
    st.lists(_PIECES, min_size=200, max_size=400).map("".join),
)


@given(_TEXTS)
def test_normalising_never_raises_is_bounded_and_stays_the_same_when_repeated(text: str) -> None:
    once = normalise(text)
    assert len(once) <= LONGEST_NORMALISED
    assert "\n" not in once
    assert normalise(once) == once


@given(st.text(), st.text())
def test_any_text_can_be_part_of_an_identity(name: str, detail: str) -> None:
    assert len(fingerprint(**{**PARTS, "owner_name": name, "detail": detail})) == 16
