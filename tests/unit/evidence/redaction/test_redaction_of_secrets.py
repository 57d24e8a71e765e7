"""What must never leave."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fake_secrets import FAKE, HIGH, KEYS, PAIRS, PASSWORDS, TOKENS, pem

from kausa.evidence.redaction import Redactor

REDACTOR = Redactor(key=b"one key for one cluster")


@given(key=KEYS, value=PASSWORDS, template=PAIRS)
def test_a_value_under_a_sensitive_name_never_survives(key: str, value: str, template: str) -> None:
    found = REDACTOR.text(template.format(key=key, value=value))

    assert value not in found.value
    assert key in found.value
    assert sum(found.counts.values()) >= 1
    assert "withheld" not in found.counts


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(TOKENS))
@pytest.mark.parametrize(
    "template",
    ["{}", "using {} for x", 'x="{}"', "a\\n{}\\nb", "\x1b[32m{}\x1b[0m", "https://h/{}/p", "({})"],
)
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_a_token_is_known_by_its_shape(kind: str, template: str, data: st.DataObject) -> None:
    secret = data.draw(TOKENS[kind])

    found = REDACTOR.text(template.format(secret))

    assert secret not in found.value
    assert found.counts == {kind: 1}


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\\n", "\\\\n", "\n    ", " "])
@pytest.mark.parametrize("end", [True, False])
@pytest.mark.parametrize("label", ["RSA ", "", "OPENSSH ", "ENCRYPTED "])
def test_a_private_key_is_hidden_whole(newline: str, end: bool, label: str) -> None:
    text = f"tls:{newline}{pem(label=label, newline=newline, end=end)}"

    found = REDACTOR.text(text)

    assert HIGH not in found.value
    assert "shortTail" not in found.value
    assert found.counts == {"private-key": 1}


def test_the_log_after_a_key_that_is_cut_off_stays() -> None:
    text = pem(end=False).removesuffix("\nshortTail0=") + "\nlistening on port 8080\n"

    found = REDACTOR.text(text)

    assert HIGH not in found.value
    assert found.value.endswith("\nlistening on port 8080\n")


def test_a_private_key_in_timestamped_log_lines_is_hidden() -> None:
    stamp = "2024-05-01T10:00:00.123456789Z "

    found = REDACTOR.text(stamp + pem(newline=f"\n{stamp}", end=False))

    assert HIGH not in found.value


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("postgres://app:{}@db.shop:5432/orders", "postgres://app:[]@db.shop:5432/orders"),
        ("dial redis://:{}@cache:6379: refused", "dial redis://:[]@cache:6379: refused"),
        ("amqp://u:{}/x@mq/vhost", "amqp://u:[]@mq/vhost"),
        ("mysql://u:{}@@db/x", "mysql://u:[]@db/x"),
        ("app:{}@tcp(db:3306)/orders", "app:[]@tcp(db:3306)/orders"),
        ('"postgres://a:{}@h/d"', '"postgres://a:[]@h/d"'),
    ],
)
def test_an_address_keeps_its_user_and_host(text: str, clean: str) -> None:
    found = REDACTOR.text(text.format(FAKE))

    before, after = clean.split("[]")
    assert found.value.startswith(f"{before}[redacted:url-password:")
    assert found.value.endswith(f"]{after}")
    assert found.counts == {"url-password": 1}


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer {}",
        "authorization=Basic {}",
        '{{"Authorization":["Bearer {}"]}}',
        "curl -H 'Authorization: token {}' https://h",
        "Proxy-Authorization: {}",
        "sent header bearer {}",
        "Cookie: session={}; theme=dark",
        "X-Api-Key: {}",
        ".dockerconfigjson: {}",
        "x-auth-token: {}",
        "https://h/blob?sv=1&sig={}%3D",
        "ALTER USER app WITH PASSWORD '{}'",
        "CREATE USER app IDENTIFIED BY '{}'",
        '{{"auths":{{"registry":{{"auth":"{}"}}}}}}',
        "curl -s -u app:{} https://h",
        "mysql -u app -p{} -h db",
        "sshpass -p {} ssh h",
        "machine h login app password {}",
        "the password is {}",
        "https://hooks.slack.com/services/T0/B0/{}",
    ],
)
def test_headers_signatures_and_statements_are_hidden(text: str) -> None:
    found = REDACTOR.text(text.format(FAKE))

    assert FAKE not in found.value
    assert sum(found.counts.values()) == 1


def test_a_whole_yaml_block_is_hidden_and_its_sibling_is_not() -> None:
    text = f"data:\n  password: |\n    {FAKE}\n    {FAKE}2\n  port: 80\n"

    found = REDACTOR.text(text)

    assert FAKE not in found.value
    assert found.value.endswith("\n  port: 80\n")


def test_a_passphrase_on_a_yaml_line_is_hidden_whole() -> None:
    found = REDACTOR.text("passphrase: correct horse battery staple # rotate\nport: 80")

    assert "horse" not in found.value
    assert found.value.endswith("] # rotate\nport: 80")


def test_the_user_beside_a_password_stays_readable() -> None:
    found = REDACTOR.text(f"Server=db;Password={FAKE};Database=orders")

    assert found.value.startswith("Server=db;Password=[redacted:password:")
    assert found.value.endswith("];Database=orders")


def test_overlapping_secrets_become_one() -> None:
    found = REDACTOR.text(f'password="postgres://app:{FAKE}@db/x?token={FAKE}"')

    assert found.counts == {"password": 1}
    assert found.value.startswith('password="[redacted:password:')


@pytest.mark.parametrize("first", [*"!@#%^&*-+=[{(<>|:;,.?/~"])
def test_a_password_may_begin_with_any_sign(first: str) -> None:
    secret = f"{first}{FAKE}"

    for text in (f"password={secret}", f"PASSWORD: {secret}", f"run --password {secret} --port 1"):
        assert FAKE not in REDACTOR.text(text).value, text
    assert FAKE not in repr(REDACTOR.tree(("--password", secret)).value)
