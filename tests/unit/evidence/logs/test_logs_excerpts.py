"""What leaves of a log is redacted as a whole first, and small."""

from __future__ import annotations

import pytest
from support.fake_secrets import FAKE
from support.pods import container, pod, running

from kausa.evidence.dossier import LogExcerpt
from kausa.evidence.log_evidence import log_evidence
from kausa.evidence.logs import TAIL_BYTES, LogScanner
from kausa.evidence.logs.excerpts import excerpt_of
from kausa.evidence.redaction import Redactor
from kausa.resources.limits import EVIDENCE_TEXT
from kausa.resources.shortening import wire_length

POD = pod(container(running(), ready=True))


def excerpt(*lines: str, ended: bool = True) -> LogExcerpt:
    scanner = LogScanner()
    scanner.feed("\n".join(lines).encode())
    found, _ = excerpt_of(
        scanner.finish(),
        container="api",
        previous=False,
        ended=ended,
        redactor=Redactor(key=b"k" * 32),
    )
    return found


def texts(found: LogExcerpt) -> list[str]:
    return [each.text for each in log_evidence(found, pod=POD)]


@pytest.mark.parametrize(
    "line",
    [
        "ERROR login with password={secret} failed",
        "ERROR " + "x" * 390 + " password={secret}",
        "ERROR {filler} url=postgres://app:{secret}@ledger-db/x failed {filler}",
        '{{"level":"error","msg":"no","password":"{secret}"}}',
        "ERROR " + "word " * 3274 + "password={secret} {filler}",
    ],
    ids=["short", "at the end of the decisive line", "long", "json", "at the end of what is read"],
)
def test_no_secret_leaves_in_any_part(line: str) -> None:
    told = line.format(secret=FAKE, filler="filler " * 3000)
    for lines in ((told,), ("INFO up", told, *["INFO tick"] * 3000), ("Traceback", told)):
        found = excerpt(*lines)
        shown = repr((found, texts(found)))
        assert FAKE[:8] not in shown


def test_all_that_is_kept_of_a_container_is_64_kib() -> None:
    lines = [f"ERROR lost {'abcdefgh'[n % 8] * 9} {'y' * 1800}" for n in range(400)]
    found = excerpt(*lines)
    kept = len(found.text.encode()) + sum(len(each.text.encode()) for each in found.entries)
    assert TAIL_BYTES * 3 // 4 < kept <= TAIL_BYTES + 4096


def test_every_piece_of_evidence_fits_its_field() -> None:
    frames = [f'\tat com.acme.<Ledger>.step("{number}")' for number in range(300)]
    found = excerpt(
        *[f'WARN <slow> "{number}"' for number in range(900)],
        "ERROR cannot start",
        "java.lang.IllegalStateException: " + "<" * 500,
        *frames,
        "Caused by: java.net.UnknownHostException: ledger-db",
        *frames,
    )
    shown = texts(found)
    assert all(wire_length(each) <= EVIDENCE_TEXT for each in shown)
    assert shown[0].startswith("ERROR cannot start")
    assert "java.net.UnknownHostException: ledger-db" in shown[0]
    assert "warning, 900 times from line 1 to 900: <slow>" in shown[1]


def test_the_cause_of_a_fatal_entry_is_told_apart() -> None:
    found = excerpt(
        'Exception in thread "main" java.lang.IllegalStateException: no',
        "\tat x.Y.z(Y.java:1)",
        "Caused by: java.io.IOException: disk is full",
        "\tat x.Y.z(Y.java:2)",
    )
    assert found.cause == found.decisive == "java.io.IOException: disk is full"
    assert found.entries[0].level == "fatal"
    assert found.entries[0].text.count("\n") == 3


def test_of_a_program_that_ended_the_last_line_tells_more_than_an_old_warning() -> None:
    lines = ("DeprecationWarning: old", "one", "two", "three", "bye now")
    assert excerpt(*lines).decisive == "bye now"
    assert excerpt(*lines, ended=False).decisive == "DeprecationWarning: old"


def test_a_log_without_trouble_is_told_by_its_last_line() -> None:
    found = excerpt("INFO one", "INFO two")
    assert (found.decisive, found.cause, found.entries) == ("two", "", ())
    assert texts(found) == ["INFO one\nINFO two"] or texts(found)[-1] == "INFO one\nINFO two"


def test_a_silent_log_is_evidence_too() -> None:
    assert texts(excerpt("", "")) == ["container api wrote nothing to its log"]
