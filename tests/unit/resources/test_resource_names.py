"""Names of resources: legal whatever the owner is called, and the same every time."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kausa.resources.names import resource_name

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
fingerprints = st.text("0123456789abcdef", min_size=6, max_size=64)
kubernetes_names = st.from_regex(r"[a-z0-9]([-a-z0-9.]{0,250}[a-z0-9])?", fullmatch=True)


@given(owner=st.text(max_size=300), reason=st.text(max_size=100), fingerprint=fingerprints)
def test_every_name_is_a_legal_label(owner: str, reason: str, fingerprint: str) -> None:
    name = resource_name(owner=owner, reason=reason, fingerprint=fingerprint)
    assert LABEL.fullmatch(name)
    assert len(name) <= 63
    assert name.endswith(fingerprint[:6])


@given(owner=kubernetes_names, reason=st.from_regex(r"[A-Z][A-Za-z]{0,29}", fullmatch=True))
def test_the_owner_gives_way_and_the_reason_stays(owner: str, reason: str) -> None:
    name = resource_name(owner=owner, reason=reason, fingerprint="4f1c2a99")
    assert name.endswith(f"-{reason.lower()}-4f1c2a")
    assert name[0] == owner[0]
    assert "--" not in name.removeprefix(owner)


@given(owner=kubernetes_names, fingerprint=fingerprints)
def test_the_same_failure_has_the_same_name(owner: str, fingerprint: str) -> None:
    names = {
        resource_name(owner=owner, reason="OOMKilled", fingerprint=fingerprint) for _ in range(2)
    }
    assert len(names) == 1


def test_the_design_s_own_examples() -> None:
    assert (
        resource_name(owner="checkout", reason="OOMKilled", fingerprint="4f1c2a0011223344")
        == "checkout-oomkilled-4f1c2a"
    )
    assert (
        resource_name(owner="mailer", reason="ImagePull", fingerprint="90ab17ffffffffff")
        == "mailer-imagepull-90ab17"
    )


def test_a_long_owner_is_cut_and_never_ends_in_a_hyphen() -> None:
    owner = "a" * 44 + "-" + "b" * 100
    name = resource_name(owner=owner, reason="OOMKilled", fingerprint="4f1c2a")
    assert name == "a" * 44 + "-b-oomkilled-4f1c2a"
    name = resource_name(owner="a" + owner, reason="OOMKilled", fingerprint="4f1c2a")
    assert name == "a" * 45 + "-oomkilled-4f1c2a"


def test_an_owner_without_a_legal_character_is_left_out() -> None:
    assert resource_name(owner="...", reason="Evicted", fingerprint="0" * 16) == "evicted-000000"


@pytest.mark.parametrize("fingerprint", ["", "4f1c2", "not-hex-at-all", "4F1C2A", "4f1c2a\n"])
def test_what_is_no_fingerprint_is_refused(fingerprint: str) -> None:
    with pytest.raises(ValueError, match="is no fingerprint"):
        resource_name(owner="checkout", reason="OOMKilled", fingerprint=fingerprint)
