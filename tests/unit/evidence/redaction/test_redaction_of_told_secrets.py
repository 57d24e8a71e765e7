"""Secrets beside names that prove little, told in sentences, or cut from what announces them."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.fake_secrets import FAKE, HIGH, PASSWORDS, pem

from kausa.evidence.redaction import Redactor

REDACTOR = Redactor(key=b"one key for one cluster")


@pytest.mark.parametrize(
    "text",
    [
        *('{{"pass": "{}"}}', "pass={}", "PASS={}", "pass: {}", "run --pass {}"),
        *("password is: {}", "password is {}", "Password is {}.", "password was '{}'"),
        *("password is: correct horse {}", "the api key is {}", "token is {}"),
        *("password:\n  {}", '"password":\n "{}"', "password:\n  {}\nport: 80"),
        *("password: |\n  {}", "password: >-\n  failed {}", "password:\n  failed {}"),
        *('"password": |\n  {}', "- password: |\n    failed {}", "password:\\n  {}\\n"),
        *('"password: |\\n  {}\\nport: 80"', "passwords:\n  - {}"),
        *("https://{}@github.com/a/b.git", "clone https://{}@h failed"),
        *("docker login -p {} r", "docker login -u a -p '{}'", "docker login -p={} r"),
        *("redis-cli -h r -a {} ping", "redis-cli --pass {}"),
        *("db_password {}", "DB_PASSWORD {}", "api_key {}"),
        *("auth={}", "auth: {}", "REDIS_AUTH={}", "session={}", "sessionid={}", "sid={}"),
        *("session_id={}", "JSESSIONID={}; Path=/", "PHPSESSID={}", "connect.sid={}"),
        *("password%3D{}", "a%3Db%26password%3D{}%26c", "password%253D{}", "token%3A%20{}"),
        *(
            "password -> {}",
            "password->{}",
            "password => {}",
            "password=> {}",
            "password \u2192 {}",
        ),
        *("x password: correct horse {}", "x password: the horse {}", "x password: open the {}"),
        *("password: it's my {}", "x passwd: {} battery"),
        *("password\u00a0=\u00a0{}", "password=\u00a0{}", "password:\u00a0{}", "password\u200b={}"),
        "password= {}",
    ],
)
def test_a_secret_that_is_told_is_hidden(text: str) -> None:
    found = REDACTOR.text(text.format(FAKE))

    assert FAKE not in found.value
    assert sum(found.counts.values()) == 1


@given(
    value=PASSWORDS,
    template=st.sampled_from(
        [
            *("password is: {}", "password:\n  {}", '"password":\n "{}"', "password -> {}"),
            *("password\u00a0=\u00a0{}", "password: |\n  {}", "x password: correct {}"),
        ]
    ),
)
@example(value="*0000000", template="password:\n  {}")
def test_any_password_behind_an_odd_separator_is_hidden(value: str, template: str) -> None:
    assert value not in REDACTOR.text(template.format(value)).value


def test_a_phrase_ends_where_the_next_pair_begins() -> None:
    found = REDACTOR.text(f"login password: correct horse {FAKE} port=80 user=app").value

    assert found.startswith("login password: [redacted:password:")
    assert found.endswith("] port=80 user=app")


def test_the_line_below_a_value_on_its_own_line_stays() -> None:
    found = REDACTOR.text(f"password:\n  {FAKE}\n  {FAKE}2\nport: 80\n").value

    assert FAKE not in found
    assert found.endswith("]\nport: 80\n")


@pytest.mark.parametrize("name", ["pass", "session", "redis_auth", "JSESSIONID"])
def test_a_suspicious_name_in_a_tree_hides_what_looks_like_a_secret(name: str) -> None:
    assert FAKE not in repr(REDACTOR.tree({name: FAKE}).value)
    assert FAKE not in repr(REDACTOR.tree({"name": name, "value": FAKE}).value)
    plain = {name: "12"}
    assert REDACTOR.tree(plain).value is plain


@pytest.mark.parametrize(
    "words",
    [("redis-cli", "-a"), ("/usr/bin/redis-cli", "-h", "r", "-a"), ("docker", "login", "-p")],
)
def test_a_short_option_of_a_known_program_hides_its_argument(words: tuple[str, ...]) -> None:
    assert FAKE not in repr(REDACTOR.tree([*words, FAKE, "more"]).value)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\\n", "\\\\n", "\n    ", " "])
@pytest.mark.parametrize("cut", [1, 20, 32, 70, 140])
def test_the_rest_of_a_private_key_without_its_first_line_is_hidden(newline: str, cut: int) -> None:
    key = pem(newline=newline, lines=5)
    body = key[key.index(HIGH) :]

    found = REDACTOR.text(f"{body[cut:]}{newline}listening on port 8080")

    assert HIGH[:32] not in found.value
    assert "shortTail" not in found.value
    assert found.value.endswith("listening on port 8080")
    assert found.counts == {"private-key": 1}


def test_the_rest_of_a_key_in_timestamped_lines_is_hidden_and_the_log_before_it_stays() -> None:
    stamp = "2024-05-01T10:00:00.123456789Z "
    key = pem(newline=f"\n{stamp}")
    text = f"{stamp}reading the key\n{stamp}{key[key.index(HIGH) :]}\n{stamp}done"

    found = REDACTOR.text(text).value

    assert HIGH not in found
    assert found.startswith(f"{stamp}reading the key\n{stamp}[redacted:private-key:")
    assert found.endswith(f"]\n{stamp}done")


def test_a_lone_end_mark_stays() -> None:
    dashes = "-" * 5
    text = f"expected {dashes}END RSA PRIVATE KEY{dashes} here"

    assert REDACTOR.text(text).value == text
