"""No expression takes more than linear time, whatever it is given (`make thorough`: megabytes)."""

from __future__ import annotations

import re
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.effort import HOSTILE_SIZE, assert_linear

from kausa.evidence.redaction import Redactor, labelled, layers, manifests, pairs, spoken, tokens
from kausa.evidence.redaction.pattern import Pattern
from kausa.evidence.redaction.patterns import PATTERNS
from kausa.evidence.redaction.personal import ADDRESSES, EMAILS

pytestmark = pytest.mark.timeout(120)

REDACTOR = Redactor(key=b"one key for one cluster")
TABLES = (*PATTERNS, *EMAILS, *ADDRESSES)


def _units(pattern: Pattern) -> list[str]:
    """What each pattern starts with, glued to itself and to what it looks for next."""
    start = (pattern.hints or ("1.",))[0]
    return [start + glue for glue in ("", "= ", " -p")]


@pytest.mark.slow
@pytest.mark.parametrize(
    "pattern", TABLES, ids=lambda each: f"{each.kind}-{each.regex.pattern[:24]}"
)
def test_a_pattern_is_linear_in_lines_of_its_own_beginnings(pattern: Pattern) -> None:
    for unit in _units(pattern):
        _assert_linear(pattern.regex, unit)


@pytest.mark.parametrize(
    ("expression", "units"),
    [
        (pairs._PAIR, ("a=", "password", "password: ", "a.", '"a":', "=")),
        (pairs._FLAG, ("-", "--a ", "--token", '--token", ')),
        (labelled._NAMED, ("name: a ", "name:", "name=a value", "key: a\n")),
        (labelled._REVERSED, ('value="', 'value="a" ', "value: 'a', name")),
        (labelled._XML, ("<a>", "<a ", "<a <![CDATA[", "<")),
        (labelled._XML_NAMED, ('name="a"', 'key="a">', 'id="')),
        (labelled._PLIST, ("<key>a</key>", "<key>", "<name>a")),
        (labelled._LISTED, ('["a",', "('", "[[[")),
        (manifests._KIND, ("kind: ", "kind:\\n", "kind" + " " * 300)),
        (manifests._JSON, ('"data":', '"data": \\n', "{" * 9)),
        (manifests._YAML, ("\ndata:", "data:\n", "\\n  data:")),
        (layers._MARK, ("%25", "\\", "&amp;", "'\"'\"'", "%%")),
        (layers._TORN, ('{"log":"a', '{"log":"a\\n",\n', '\\n"')),
        (layers._RUN, ("A", "aB3-", "A1b2C3d4=", "/")),
        (spoken._TOLD, ("password is ", "is ", "a  ", "key : ")),
        (spoken._ENCODED, ("a%3D", "%25253D", "token%3A%20", "%")),
    ],
)
def test_an_expression_is_linear_in_what_it_nearly_accepts(
    expression: re.Pattern[str], units: tuple[str, ...]
) -> None:
    for unit in units:
        _assert_linear(expression, unit)


def _assert_linear(expression: re.Pattern[str], unit: str) -> None:
    assert_linear(lambda text: deque(expression.finditer(text), maxlen=0), unit, end="!")


@pytest.mark.parametrize("row", range(0, len(tokens.TOKENS), 12))
def test_tokens_are_linear_in_lines_of_their_marks(row: int) -> None:
    marks = "".join(each.mark for each in tokens.TOKENS[row : row + 12])

    assert_linear(REDACTOR.text, marks, size=HOSTILE_SIZE // 2)


@given(st.binary(max_size=2_000))
def test_random_bytes_never_raise(raw: bytes) -> None:
    for text in (raw.decode("utf-8", "replace"), raw.decode("latin-1")):
        found = REDACTOR.text(text)

        assert "withheld" not in found.counts
        assert REDACTOR.text(found.value).value == found.value
    REDACTOR.tree({"raw": raw, "list": [raw.decode("utf-8", "surrogateescape")]})
