"""Marks of issuers: known wherever they stand, and not taken for words that only begin alike."""

from __future__ import annotations

from random import Random

import pytest
from bench.redaction.kinds import KINDS
from bench.redaction.secret import Shown

from kausa.evidence.redaction import Redactor

REDACTOR = Redactor(key=b"one key for one cluster")
ALONE = sorted(kind for kind, make in KINDS.items() if make(Random(1)).shown is Shown.ALONE)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ALONE)
@pytest.mark.parametrize(
    "form", ["{}", "using {} for x", "got\\n{}\\n", "(x={})", "\x1b[32m{}\x1b[0m", '["{}"]']
)
def test_a_secret_with_a_shape_is_hidden_without_any_name(kind: str, form: str) -> None:
    for seed in range(10):
        secret = KINDS[kind](Random(seed))

        found = REDACTOR.text(form.format(secret.text))

        assert not any(part in found.value for part in secret.parts), secret.kind
        assert found.counts


@pytest.mark.parametrize(
    "word",
    [
        *("risk-assessment-of-the-new-payment-provider", "task-4c2f", "disk-usage-by-namespace"),
        *("s.AbstractApplicationContextX", "sl.ow", "pat.tern", "SKIPPED", "API-GATEWAY-42"),
        *("key-value-store", "hf_transfer", "npm_config_cache", "secret_rotation_controller_v2"),
        *("pulumi-kubernetes-operator-controller-manager", "sha256~short", "EAAS", "s.t.r"),
        *("kube-api-access-x7k2p", "checkout-7c9d8f5b6d-x2x4z", "v1.0-rc1", "00-4bf92f3577b34da6"),
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ],
)
def test_a_word_that_only_begins_like_a_token_stays(word: str) -> None:
    text = f"started {word} at 10:00"

    assert REDACTOR.text(text).value == text


@pytest.mark.parametrize("between", [" ", ":", ", ", '","', "\t"])
def test_the_secret_beside_an_access_key_goes_with_it(between: str) -> None:
    half = "Ab1/" * 10
    text = f"using {'AK' + 'IA'}{'FAKE' * 4}{between}{half} for the bucket"

    found = REDACTOR.text(text).value

    assert half not in found
    assert found.startswith("using [redacted:aws-key:")
    assert found.endswith(" for the bucket")
