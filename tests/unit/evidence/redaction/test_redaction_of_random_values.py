"""What is random beside a name that says little is hidden; either alone is not."""

from __future__ import annotations

from random import Random

import pytest
from bench.redaction.secret import ALNUM, BASE64, HEX, draw

from kausa.evidence.redaction import Redactor
from kausa.evidence.redaction.randomness import is_random

REDACTOR = Redactor(key=b"one key for one cluster")
VALUES = [
    draw(Random(seed), alphabet, size)
    for seed in range(8)
    for alphabet, size in ((ALNUM, 24), (ALNUM, 32), (HEX, 40), (BASE64, 44))
]
NAMES = ("maps_key", "STRIPE_KEY", "algoliaKey", "jwt_salt", "otp-seed", "hmac", "secret_id")


@pytest.mark.parametrize("value", VALUES)
def test_a_random_value_beside_a_vague_name_is_hidden(value: str) -> None:
    for name in NAMES:
        for text in (f"{name}={value}", f'"{name}": "{value}"', f"<{name}>{value}</{name}>"):
            assert value not in REDACTOR.text(text).value, text
        assert value not in repr(REDACTOR.tree({"name": name, "value": value}).value)


@pytest.mark.parametrize(
    "name", ["digest", "commit", "cache_key", "trace_id", "etag", "primaryKey"]
)
def test_a_random_value_beside_an_innocent_name_stays(name: str) -> None:
    for value in VALUES:
        assert REDACTOR.text(f"{name}={value}").value == f"{name}={value}"


@pytest.mark.parametrize(
    "value",
    [
        *("user:42:cart", "orders/2026/01/02", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "id", "42"),
        *("com.example.shop.OrderService", "checkout-7c9d8f5b6d-x2x4z", "application/json"),
        *(
            "/etc/tls/private/tls.key",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "partition-key-of-orders",
        ),
    ],
)
def test_a_value_that_means_something_stays(value: str) -> None:
    assert not is_random(value)
    assert REDACTOR.text(f"maps_key={value}").value == f"maps_key={value}"
