"""Nothing that is built from the models is too large, whatever it is made of."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.largest import largest, on_the_wire

from kausa.resources import limits
from kausa.resources.category import Category
from kausa.resources.crd import failure_diagnosis_crd
from kausa.resources.evidence import Evidence, EvidenceKind
from kausa.resources.failure_diagnosis import FailureDiagnosis
from kausa.resources.shortening import clean, shorten, shorten_by_characters, wire_length
from kausa.resources.status import FailureDiagnosisStatus

# One byte, six, three, four, two; an escape, a line separator; what is taken out.
FILLERS = ["x", "<", "\u20ac", "\U0001f600", '"', "\\", "\u2028", "\x1b", "\ud800", "a\n"]
# Names, owner references and field managers; the integration test measures them.
OVERHEAD = 16 * 1024

SCHEMA: dict[str, Any] = failure_diagnosis_crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


def worst_case(filler: str, *, times: int) -> dict[str, Any]:
    """What the models make of a document in which everything is as large as it gets."""
    fields = SCHEMA["properties"]
    document = {
        "metadata": {"name": "n" * 63, "namespace": "n" * 63},
        "spec": largest(fields["spec"], filler=filler),
        "status": largest(fields["status"], filler=filler, times=times),
    }
    return FailureDiagnosis.model_validate(document).to_dict()


@pytest.mark.slow
@pytest.mark.parametrize("filler", FILLERS, ids=ascii)
def test_the_largest_object_is_below_256_kib(filler: str) -> None:
    assert on_the_wire(worst_case(filler, times=2)) < limits.OBJECT_BYTES - OVERHEAD


def test_the_worst_case_is_a_worst_case() -> None:
    document = worst_case("x", times=2)
    assert document.keys() == {"apiVersion", "kind", "metadata", "spec", "status"}
    assert document["status"].keys() == SCHEMA["properties"]["status"]["properties"].keys()
    assert document["spec"].keys() == SCHEMA["properties"]["spec"]["properties"].keys()
    assert len(document["status"]["evidence"]) == limits.EVIDENCE
    assert len(document["status"]["evidence"][0]["text"].encode()) == limits.EVIDENCE_TEXT
    assert on_the_wire(document) > limits.OBJECT_BYTES // 2


def test_a_longer_list_keeps_its_first_items() -> None:
    status = FailureDiagnosisStatus(
        evidence=tuple(
            Evidence(id=f"E{number}", kind=EvidenceKind.LOG, text="a line")
            for number in range(1, 100)
        )
    )
    assert status.evidence is not None
    assert [fact.id for fact in status.evidence] == [f"E{number}" for number in range(1, 41)]


def test_every_category_fits_in_a_match() -> None:
    assert len(Category) == limits.MATCH_CATEGORIES


@given(text=st.text(), maximum=st.integers(3, 64))
@example(text="<<<<", maximum=23)
@example(text="\ud83d half", maximum=64)
def test_a_shortened_text_fits_in_bytes_and_characters(text: str, maximum: int) -> None:
    short = shorten(text, maximum)
    encoded = on_the_wire({"": short}) - on_the_wire({"": ""})
    assert encoded == wire_length(short) <= maximum
    assert len(short) <= maximum
    assert shorten(short, maximum) == short


@given(text=st.text(max_size=40))
def test_a_text_that_fits_is_only_cleaned(text: str) -> None:
    assert shorten(text, 40 * 6) == clean(text) == shorten_by_characters(text, 40)


@given(text=st.text(), maximum=st.integers(2, 64))
def test_what_people_write_is_cut_by_characters(text: str, maximum: int) -> None:
    assert len(shorten_by_characters(text, maximum)) <= maximum


def test_a_cut_text_says_so() -> None:
    assert shorten("x" * 300, 256) == "x" * 253 + "\u2026"
    assert shorten_by_characters("x" * 300, 256) == "x" * 255 + "\u2026"


def test_a_terminal_is_not_obeyed() -> None:
    assert clean("\x1b[31mred\x1b[0m\r\n\tnext\x00\x9b") == "[31mred[0m\n\tnext"


def test_half_a_character_becomes_a_question_mark() -> None:
    assert clean("half \ud83d") == "half ?"
    json.dumps(clean("\udfff")).encode()
