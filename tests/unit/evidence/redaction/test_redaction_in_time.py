"""A look at a text that takes too long ends, and the text is withheld; what is found is traced."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st
from support.fake_secrets import FAKE

from kausa.evidence.redaction import PLACEHOLDER, WITHHELD, Redactor

REDACTOR = Redactor(key=b"one key for one cluster")
LINES = st.lists(
    st.sampled_from(
        [
            *(f"password={FAKE}", "nothing here", f"token: {FAKE} and more", f"x {FAKE}"),
            *(f'{{"log":"{{\\"pwd\\":\\"{FAKE}\\"}}"}}', f"a%3Db%26password%3D{FAKE}", "é \u2028"),
            f"password=[redacted:token:abc123]{FAKE}",
        ]
    ),
    max_size=8,
)


def test_a_text_that_takes_too_long_is_withheld() -> None:
    hours = itertools.count(0, 3600)
    slow = Redactor(key=b"one key for one cluster", clock=lambda: float(next(hours)))

    long = "nothing special, " * 200
    found = slow.text(long)

    assert found.value == WITHHELD
    assert found.counts == {"withheld": 1}
    assert slow.tree({"a": long}).value == {"a": WITHHELD}


@given(LINES)
def test_the_places_of_what_was_hidden_are_those_in_the_text_as_it_came(lines: list[str]) -> None:
    text = "\n".join(lines)

    found = REDACTOR.text(text)

    rebuilt, at = "", 0
    for hidden in found.hidden:
        assert at <= hidden.start < hidden.end
        rebuilt += text[at : hidden.start] + "\0"
        at = hidden.end
    new = PLACEHOLDER.findall(found.value)
    kept = PLACEHOLDER.sub("\0", found.value) if len(new) == len(found.hidden) else None
    assert kept is None or rebuilt + text[at:] == kept
