"""E-mail and IP addresses stay unless they are asked for."""

from __future__ import annotations

import pytest

from kausa.evidence.redaction import Redactor

KEY = b"one key for one cluster"
PLAIN = Redactor(key=KEY)
EMAILS = Redactor(key=KEY, emails=True)
ADDRESSES = Redactor(key=KEY, addresses=True)

MAIL = ("ann@example.com", "first.last+tag@mail.example.co.uk", "a_b%c@x-y.example.org")
MACHINES = (
    *("10.42.0.17", "192.168.1.254", "8.8.8.8", "2001:db8::8a2e:370:7334", "fe80::1"),
    "2001:0db8:85a3:0000:0000:8a2e:0370:7334",
)


@pytest.mark.parametrize("address", MAIL)
def test_mail_is_hidden_where_that_is_switched_on(address: str) -> None:
    text = f"sent to <{address}>, and to {address}."

    assert PLAIN.text(text).value == text
    assert ADDRESSES.text(text).value == text
    assert address not in EMAILS.text(text).value
    assert EMAILS.text(text).counts == {"email": 2}


@pytest.mark.parametrize("address", MACHINES)
def test_machines_are_hidden_where_that_is_switched_on(address: str) -> None:
    text = f"dial tcp {address}: refused (from={address})"

    assert PLAIN.text(text).value == text
    assert EMAILS.text(text).value == text
    assert address not in ADDRESSES.text(text).value
    assert ADDRESSES.text(text).counts == {"ip-address": 2}


@pytest.mark.parametrize(
    "text",
    [
        *("127.0.0.1:8080", "[::1]:80", "0.0.0.0", "[::]:9090", "version 1.2.3", "at 03:04:05"),
        *("std::string", "10.0.0.256", "ratio 1.5:2.5", "a::b::c", "chart 1.2.3.4.5"),
    ],
)
def test_what_is_no_machine_of_anybody_stays(text: str) -> None:
    assert ADDRESSES.text(text).value == text


def test_a_port_stays_readable() -> None:
    found = ADDRESSES.text("dial tcp 10.0.0.7:5432: connection refused").value

    assert found.startswith("dial tcp [redacted:ip-address:")
    assert found.endswith("]:5432: connection refused")
