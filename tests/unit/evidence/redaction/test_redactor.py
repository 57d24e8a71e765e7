"""What holds for every text: stable, idempotent, linear, closed on failure."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.effort import HOSTILE_SIZE, assert_linear
from support.fake_secrets import FAKE, KEYS, PAIRS, PASSWORDS

from kausa.evidence.redaction import WITHHELD, Redactor
from kausa.evidence.redaction import redactor as module
from kausa.evidence.redaction.placeholders import PLACEHOLDER

REDACTOR = Redactor(key=b"one key for one cluster")

FRAGMENTS = st.sampled_from(
    [
        *(
            'password="',
            "password: ",
            "token=",
            '"secret":"',
            "--api-key ",
            "://u:",
            "@host",
            "\\n",
        ),
        *("Bearer ", "Authorization: ", "[redacted:token:abc123]", "[redacted:", "]", ";a=", "${"),
        *(
            "name: API_KEY\n",
            "value: ",
            "password: |\n",
            "  x9\n",
            "Cookie: a=",
            "pass=",
            "password is: ",
            "password -> ",
            "password:\n  ",
            "password%3D",
            "session=",
            "correct horse ",
            "-" * 5 + "END PRIVATE KEY" + "-" * 5,
            "\\",
            "'",
            "<",
            "}",
        ),
        *(WITHHELD, "\x1b[31m", "\x00", "\ud800", "é", " ", "\n", "[", "{", "sig=", "abc123DEF"),
    ]
)


@example("password=[redacted:token:abc123]x1")
@given(st.text() | st.lists(FRAGMENTS, max_size=14).map("".join))
def test_redacting_twice_changes_nothing_and_never_raises(text: str) -> None:
    once = REDACTOR.text(text)
    twice = REDACTOR.text(once.value)

    assert twice.value == once.value
    assert not twice.counts


@given(first=PAIRS, second=PAIRS, key=KEYS, value=PASSWORDS)
def test_the_same_secret_has_the_same_digits_everywhere(
    first: str, second: str, key: str, value: str
) -> None:
    digits = {
        placeholder[-7:-1]
        for template in (first, second)
        for placeholder in PLACEHOLDER.findall(
            REDACTOR.text(template.format(key=key, value=value)).value
        )
    }

    assert len(digits) == 1


def test_another_cluster_has_other_placeholders() -> None:
    other = Redactor(key=b"another cluster")
    text = f"password={FAKE}"

    assert REDACTOR.text(text).value != other.text(text).value
    assert REDACTOR.text(text).value == Redactor(key=b"one key for one cluster").text(text).value


def test_a_long_key_is_taken_whole() -> None:
    text = f"password={FAKE}"

    assert Redactor(key=b"k" * 65).text(text).value != Redactor(key=b"k" * 66).text(text).value


def test_an_empty_key_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        Redactor(key=b"")


def test_a_failure_inside_withholds_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(text: str) -> None:
        raise RuntimeError(text)

    monkeypatch.setattr(module, "find", fail)

    found = REDACTOR.text("nothing special")

    assert found.value == WITHHELD
    assert found.counts == {"withheld": 1}


def test_what_is_no_text_is_withheld() -> None:
    assert REDACTOR.text(None).value == WITHHELD  # type: ignore[arg-type]


def test_secrets_are_counted_by_kind() -> None:
    found = REDACTOR.text(f"password={FAKE}1\ntoken={FAKE}2\npassword={FAKE}3")

    assert found.counts == {"password": 2, "token": 1}


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit",
    [
        *("a", "-", "password=", "password=x ", 'password="', "password: |\n", "password='\\"),
        *("eyJ", "eyJa.eyJa", "://", "://a:", "s://a:xx", "a:b@tcp", "cookie:", "bearer a", "key "),
        *(
            "-" * 5 + "BEGIN PRIVATE KEY" + "-" * 5,
            "\\",
            '\\"',
            "name:a ",
            "--password ",
            "<password>",
            ";a",
        ),
        *("[redacted:token:abc123]", "password=[redacted:token:abc123]", "password=${", "\x1b[36m"),
        *(
            "-" * 5 + "END PRIVATE KEY" + "-" * 5,
            "password:\n  ",
            "password: |\\n  ",
            "password is ",
        ),
        *("A1b2C3d4" * 8 + "\n", "password%3D", "password -> ", "x password: a ", "password is: "),
        *("pass=", "auth: ", "session=a1", "://a", "redis-cli ", "docker login ", "password:\\n"),
        *("A1b2C3d4" * 4 + " " + "-" * 5 + "END PRIVATE KEY" + "-" * 5, "db_password x1 "),
        *("curl -u ", "mysql a", "password a", "password 1", "curl", " -u a"),
    ],
)
def test_time_is_linear_in_the_length_of_one_line(unit: str) -> None:
    def redacted(text: str) -> None:
        assert "withheld" not in REDACTOR.text(text).counts

    assert_linear(redacted, unit, size=HOSTILE_SIZE // 2, end="!")


@pytest.mark.slow
def test_a_megabyte_in_one_line_is_taken() -> None:
    text = "x" * 900_000 + f" password={FAKE} " + "y=" * 50_000

    started = time.process_time()
    found = REDACTOR.text(text)

    # What is quadratic in a megabyte takes hours.
    assert time.process_time() - started < 10
    assert FAKE not in found.value
