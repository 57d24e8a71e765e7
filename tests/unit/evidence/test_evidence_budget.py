"""Forty pieces of evidence at most, none at the cost of a kind that decides; slim manifests."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from support.dossiers import LATER
from support.inquiries import made

from kausa.evidence.budget import SHARES, numbered, within_budget
from kausa.evidence.dossier import Evidence, Source
from kausa.evidence.slimming import slim, slim_all
from kausa.resources.evidence import EvidenceKind
from kausa.resources.limits import EVIDENCE


def piece(kind: EvidenceKind, number: int) -> Evidence:
    return Evidence(
        kind=kind,
        source=Source(kind="Pod", name="p"),
        text=f"{kind} {number}",
        time=LATER - timedelta(seconds=number),
    )


def test_every_kind_has_a_share_and_all_shares_fit() -> None:
    assert set(SHARES) == set(EvidenceKind)
    assert sum(SHARES.values()) == EVIDENCE


def test_a_flood_of_one_kind_does_not_push_out_the_others() -> None:
    flood = [piece(EvidenceKind.EVENT, number) for number in range(500)]
    few = [piece(kind, 0) for kind in EvidenceKind if kind is not EvidenceKind.EVENT]
    kept = within_budget([*flood, *few])
    assert len(kept) == EVIDENCE
    assert {each.kind for each in kept} == set(EvidenceKind)


@given(st.lists(st.tuples(st.sampled_from(list(EvidenceKind)), st.integers(0, 99)), max_size=200))
def test_whatever_comes_no_more_than_the_maximum_is_kept_and_no_share_is_lost(
    found: list[tuple[EvidenceKind, int]],
) -> None:
    pieces = [piece(kind, number) for kind, number in found]
    kept = within_budget(pieces)
    assert len(kept) <= EVIDENCE
    for kind, share in SHARES.items():
        had = len({each.text for each in pieces if each.kind is kind})
        assert sum(1 for each in kept if each.kind is kind) >= min(share, had)
    if len({(each.kind, each.text) for each in pieces}) <= EVIDENCE:
        assert len(kept) == len({(each.kind, each.text) for each in pieces})


def test_events_are_told_in_order_of_time_and_the_first_of_a_kind_are_kept() -> None:
    events = [piece(EvidenceKind.EVENT, number) for number in range(100)]
    kept = within_budget(events)
    assert [each.text for each in kept] == [f"Event {number}" for number in range(39, -1, -1)]


def test_what_was_said_already_is_not_said_again() -> None:
    twice = [piece(EvidenceKind.STATUS, 1), piece(EvidenceKind.STATUS, 1)]
    assert [each.id for each in numbered(within_budget(twice))] == ["E1"]


def test_secrets_lose_their_values_and_config_maps_the_long_ones() -> None:
    secret = made("Secret", "s", data={"password": "aGlkZGVu"}, stringData={"x": "hidden"})
    applied = "kubectl.kubernetes.io/last-applied-configuration"
    secret["metadata"]["annotations"] = {applied: "hidden", "note": "kept"}
    slimmed = slim(secret)
    assert slimmed["data"] == {"password": ""}
    assert "hidden" not in repr(slimmed)
    assert "aGlkZGVu" not in repr(slimmed)
    assert slimmed["metadata"]["annotations"] == {"note": "kept"}
    config = slim(made("ConfigMap", "c", data={"short": "yes", "long": "x" * 500}))
    assert config["data"] == {"short": "yes", "long": ""}


def test_managed_fields_and_images_of_nodes_are_left_out() -> None:
    node = made("Node", "n", namespace=None, status={"images": [1], "phase": "x"})
    node["metadata"]["managedFields"] = [{"manager": "kubelet"}]
    slimmed = slim(node)
    assert slimmed["status"] == {"phase": "x"}
    assert "managedFields" not in slimmed["metadata"]
    assert "managedFields" in node["metadata"]


def test_each_object_is_kept_once_and_so_many_at_most() -> None:
    many: list[dict[str, Any]] = [made("Pod", f"p{number % 60}") for number in range(600)]
    assert len(slim_all(many, most=40)) == 40
    assert len(slim_all([many[0], many[0]], most=40)) == 1
